/** Runs the program and scripts with nothing of the caller's environment but the path. */

import { execFile } from "node:child_process";
import type { EmbeddedAws } from "../../local/embedded-aws";
import { PROJECT } from "./project-files";

export interface ScriptResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

type Variables = Readonly<Record<string, string>>;

/** Runs the program as `npx payledger` starts it. `payledger` runs it inside the test, in a tenth of the time. */
export function payledgerProcess(words: readonly string[], variables: Variables): Promise<ScriptResult> {
  return runNode(["cli/launch.cjs", ...words], variables);
}

/** Runs a script as its npm command starts it. */
export function runScript(script: string, words: readonly string[], variables: Variables): Promise<ScriptResult> {
  return runNode(["--import", "tsx", script, ...words], variables);
}

function runNode(args: readonly string[], variables: Variables): Promise<ScriptResult> {
  const env = { PATH: process.env["PATH"], ...variables };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: PROJECT, env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

/** What makes a script talk to the embedded AWS. */
export function variablesOf({ endpoint, region, credentials }: EmbeddedAws): Record<string, string> {
  const { accessKeyId = "", secretAccessKey = "" } = credentials ?? {};
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  };
}
