/** The whole app: four stacks in the order in which they are applied. `main.ts` and the tests both build it here. */

import { App } from "cdktf";
import type { AppConfig } from "./config/types";
import type { AuditorKit } from "./constructs/auditor-kit";
import type { HandlerCode } from "./constructs/handler-code";
import { DataStack } from "./data-stack";
import { FunctionsStack } from "./functions-stack";
import { NetworkStack } from "./network-stack";
import { SecurityStack } from "./security-stack";

/** What the stacks ship and do not make themselves. */
export interface Artifacts {
  readonly handlerCode: HandlerCode;
  readonly auditorKit: AuditorKit;
}

/** @param outdir default: what the CDKTF command line asks for, else `cdktf.out`. */
export function buildApp(config: AppConfig, artifacts: Artifacts, outdir?: string): App {
  return withoutCreationStacks(() => {
    const app = new LedgerApp(outdir === undefined ? {} : { outdir });
    addStacks(app, config, artifacts);
    return app;
  });
}

function addStacks(app: App, config: AppConfig, { handlerCode, auditorKit }: Artifacts): void {
  const security = new SecurityStack(app, "security", config);
  const network = new NetworkStack(app, "network", config, security.outputs);
  const data = new DataStack(app, "data", config, { security: security.outputs, auditorKit });
  new FunctionsStack(app, "functions", config, {
    security: security.outputs,
    network: network.outputs,
    data: data.outputs,
    handlerCode,
  });
}

class LedgerApp extends App {
  override synth(): void {
    withoutCreationStacks(() => super.synth());
  }
}

/**
 * CDKTF notes for each of thousands of values the whole call stack that made it, and shows it only in its own errors. That
 * was more than half of the time of a synth. Errors that are thrown meanwhile keep their stacks.
 */
function withoutCreationStacks<T>(run: () => T): T {
  const { captureStackTrace } = Error;
  Error.captureStackTrace = () => undefined;
  try {
    return run();
  } finally {
    Error.captureStackTrace = captureStackTrace;
  }
}
