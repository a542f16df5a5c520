/**
 * Jest's Node environment, with what all test files of a worker share: its context (see `test-runtime.cjs`), one embedded AWS,
 * and the synthesized apps. Jest loads this module once per worker, outside of the test files, so these outlive the file that
 * needed them first. The emulator ends with the worker process, however that ends.
 */

import { ModernFakeTimers } from "@jest/fake-timers";
import { TestEnvironment } from "jest-environment-node";
import { ModuleMocker } from "jest-mock";
import { type EmbeddedAws, startEmbeddedAws } from "../../local/embedded-aws";

/** Texts only: an object of one test file must not be seen by another. */
const synthesizedApps = new Map<string, string>();

let started: Promise<EmbeddedAws> | undefined;

/** Starts it for the first file that asks. A failure is that file's own: the next one tries again. */
function embeddedAwsOfWorker(): Promise<EmbeddedAws> {
  started ??= startEmbeddedAws().catch((error) => {
    started = undefined;
    throw error;
  });
  return started;
}

/** What a package keeps in the global object for as long as it is loaded: cdktf counts its tokens there. */
const OF_PACKAGES: readonly PropertyKey[] = ["__cdktfTokenMap"];

/** What a test file may change and the next one must not see. Returns what puts it back. */
function rememberGlobals(): () => void {
  const globals = Object.getOwnPropertyDescriptors(globalThis);
  const { exit, argv, exitCode } = process;
  const env = { ...process.env };
  const directory = process.cwd();
  return () => {
    for (const key of Reflect.ownKeys(globalThis)) {
      if (!Object.hasOwn(globals, key) && !OF_PACKAGES.includes(key)) Reflect.deleteProperty(globalThis, key);
    }
    Object.defineProperties(
      globalThis,
      Object.fromEntries(Object.entries(globals).filter(([, { configurable }]) => configurable)),
    );
    Object.assign(process, { exit, argv, exitCode });
    for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
    Object.assign(process.env, env);
    process.chdir(directory);
  };
}

export default class extends TestEnvironment {
  readonly #restoreGlobals = rememberGlobals();

  constructor(...[config, context]: ConstructorParameters<typeof TestEnvironment>) {
    super(config, context);
    this.global = globalThis as unknown as typeof this.global;
    this.moduleMocker = new ModuleMocker(globalThis);
    this.fakeTimersModern = new ModernFakeTimers({ config: config.projectConfig, global: globalThis });
  }

  override async setup(): Promise<void> {
    await super.setup();
    this.global["embeddedAwsOfWorker"] = embeddedAwsOfWorker;
    this.global["synthesizedApps"] = synthesizedApps;
  }

  override async teardown(): Promise<void> {
    await super.teardown();
    this.#restoreGlobals();
  }
}
