/** A caller as its parent sees it: a process that may be gone before it answers. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { functionEnvironment } from "../stub";

/** What is left of a machine's memory after Node.js itself, for each of many. */
const HEAP_MB = 96;
const CREDENTIALS = {
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "111122223333",
  AWS_SECRET_ACCESS_KEY: "soak",
  AWS_CONFIG_FILE: "/nonexistent/aws-config",
  AWS_SHARED_CREDENTIALS_FILE: "/nonexistent/aws-credentials",
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
};

export type Answer =
  | { readonly kind: "answered"; readonly answer: unknown }
  /** The call failed for a technical reason, or the process was killed. */
  | { readonly kind: "lost" };

export class CallerProcess {
  private readonly child: ChildProcess;
  private wasKilled = false;
  private requests = 0;

  /**
   * @param bundle folder of the function's `index.js`.
   * @param url where its AWS answers; the last part of the path is this caller's name.
   */
  constructor(
    bundle: string,
    private readonly url: string,
  ) {
    const env = { TZ: "UTC", ...functionEnvironment(url), ...CREDENTIALS };
    this.child = fork(path.join(__dirname, "caller.cjs"), [bundle], {
      env: { ...env, AWS_LAMBDA_FUNCTION_NAME: "soak" },
      execArgv: [`--max-old-space-size=${HEAP_MB}`],
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
  }

  get isGone(): boolean {
    return this.wasKilled;
  }

  /** @throws Error when the process ended although nobody killed it. */
  async send(event: object): Promise<Answer> {
    const exited = this.child.exitCode ?? this.child.signalCode;
    if (exited !== null) throw new Error(`A caller ended by itself (${exited}).`);
    this.requests += 1;
    const stop = new AbortController();
    const answered = once(this.child, "message", { signal: stop.signal });
    const ended = once(this.child, "exit", { signal: stop.signal });
    for (const each of [answered, ended]) each.catch(() => undefined);
    this.child.send({ event, requestId: `${path.basename(this.url)}-${this.requests}` });
    const [first] = await Promise.race([answered, ended]);
    stop.abort();
    if (typeof first !== "object" || first === null) {
      if (!this.wasKilled) throw new Error(`A caller ended by itself (${first}).`);
      return { kind: "lost" };
    }
    return "answer" in first ? { kind: "answered", answer: first.answer } : { kind: "lost" };
  }

  /** Ends the process at once, as a host that dies. */
  kill(): void {
    this.wasKilled = true;
    this.child.kill("SIGKILL");
  }
}
