/**
 * Jest's Node environment, with what all test files of a worker share: its context (see `test-runtime.cjs`), one embedded AWS,
 * and the synthesized apps. Jest loads this module once per worker, outside of the test files, so these outlive the file that
 * needed them first. The emulator ends with the worker process, however that ends.
 */

import { AsyncLocalStorage } from "node:async_hooks";
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

/**
 * Notes the storages that are used from now on, and returns what ends their use. Node.js copies the value of each storage in use
 * at every new promise. Jest uses one for each test file and does not end that, so a promise of a worker's fiftieth file would
 * cost a hundred times as much as one of its first file.
 */
function noteStorages(): () => void {
  const inUse = new Set<AsyncLocalStorage<unknown>>();
  const { run, enterWith } = AsyncLocalStorage.prototype;
  const noting = (own: (...values: never[]) => unknown) =>
    function (this: AsyncLocalStorage<unknown>, ...values: never[]) {
      inUse.add(this);
      return own.apply(this, values);
    };
  Object.assign(AsyncLocalStorage.prototype, { run: noting(run), enterWith: noting(enterWith) });
  return () => {
    Object.assign(AsyncLocalStorage.prototype, { run, enterWith });
    for (const storage of inUse) storage.disable();
  };
}

export default class extends TestEnvironment {
  readonly #restoreGlobals = rememberGlobals();
  readonly #endStorages = noteStorages();

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
    this.#endStorages();
    this.#restoreGlobals();
  }
}
