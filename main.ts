/** Synthesizes the four stacks: `npx cdktf synth`, or plain `npx tsx main.ts`. */

import { ConfigError } from "./config/errors";
import { loadConfig } from "./config/load";
import { buildArtifacts } from "./scripts/build-artifacts";
import { HandlerBuildError } from "./scripts/build-handlers";
import { copyProviderLocks } from "./scripts/provider-locks";
import { buildApp } from "./stacks/build-app";

try {
  const app = buildApp(loadConfig(), buildArtifacts());
  app.synth();
  copyProviderLocks(app.outdir);
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof HandlerBuildError)) {
    throw error;
  }
  console.error(error.message);
  process.exitCode = 1;
}
