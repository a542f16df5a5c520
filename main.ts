/** Synthesizes the four stacks: `npx cdktf synth`, or its command in `cdktf.json`. */

import { buildApp } from "./stacks/build-app";
import { ConfigError } from "./stacks/config/errors";
import { loadConfig } from "./stacks/config/load";
import { warningsAbout } from "./stacks/config/warnings";
import { buildArtifacts } from "./tools/build-artifacts";
import { HandlerBuildError } from "./tools/build-handlers";
import { copyProviderLocks } from "./tools/provider-locks";

try {
  const config = loadConfig();
  for (const warning of warningsAbout(config)) console.warn(warning);
  const app = buildApp(config, buildArtifacts());
  app.synth();
  copyProviderLocks(app.outdir);
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof HandlerBuildError)) {
    throw error;
  }
  console.error(error.message);
  process.exitCode = 1;
}
