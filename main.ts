/** Synthesizes the four stacks: `npx cdktf synth`, or plain `npx tsx main.ts`. */

import { ConfigError } from "./config/errors";
import { loadConfig } from "./config/load";
import { buildHandlers, HandlerBuildError } from "./scripts/build-handlers";
import { buildApp } from "./stacks/build-app";

try {
  buildApp(loadConfig(), buildHandlers()).synth();
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof HandlerBuildError)) {
    throw error;
  }
  console.error(error.message);
  process.exitCode = 1;
}
