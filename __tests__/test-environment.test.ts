/** Test files of one worker share its global object and its packages. Nothing else may pass from one file to the next. */

import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import TestEnvironment from "./support/test-environment";

const config = { testEnvironmentOptions: {}, globals: {}, fakeTimers: {} };

/** What the next test file sees of what `change` did. */
async function afterFile(change: () => void): Promise<void> {
  const parts = { globalConfig: config, projectConfig: config };
  const environment = new TestEnvironment(parts as never, { console, docblockPragmas: {}, testPath: __filename });
  await environment.setup();
  change();
  await environment.teardown();
}

it.each<[string, () => void, () => unknown]>([
  ["a new global", () => Object.assign(globalThis, { added: 1 }), () => "added" in globalThis],
  ["a changed global", () => Object.assign(globalThis, { fetch: undefined }), () => globalThis.fetch],
  ["a new variable", () => Object.assign(process.env, { ADDED: "1" }), () => process.env["ADDED"]],
  ["a deleted variable", () => Reflect.deleteProperty(process.env, "PATH"), () => process.env["PATH"]],
  ["arguments", () => Object.assign(process, { argv: [] }), () => process.argv],
  ["an exit code", () => Object.assign(process, { exitCode: 3 }), () => process.exitCode],
  ["the working directory", () => process.chdir("/"), () => process.cwd()],
])("undone after the file: %s", async (_what, change, seen) => {
  const before = seen();
  await afterFile(() => {
    change();
    expect(seen()).not.toBe(before);
  });
  expect(seen()).toBe(before);
});

it.each<[string, (storage: AsyncLocalStorage<string>, work: () => void) => void]>([
  ["run", (storage, work) => storage.run("a value", work)],
  [
    "enterWith",
    (storage, work) => {
      storage.enterWith("a value");
      work();
    },
  ],
])("no promise copies the value of a storage that an earlier file used: %s", async (_name, use) => {
  const storage = new AsyncLocalStorage<string>();
  let seen: () => unknown = () => "nothing was used";
  await afterFile(() => {
    use(storage, () => {
      seen = AsyncResource.bind(() => storage.getStore());
    });
    expect(seen()).toBe("a value");
  });
  expect(seen()).toBeUndefined();
});
