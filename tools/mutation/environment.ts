/**
 * The environment of the tests for `npm run mutate`. In the first run, which makes no change, it notes which changes each
 * test file reaches: in its tests, or when it loads the code. `runner.cjs` reads the notes.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Circus } from "@jest/types";
import TestEnvironment from "../../__tests__/support/test-environment";

/** How often each change was reached, by its number. Stryker's own, for all test files together. */
interface Reached {
  readonly static: Readonly<Record<string, number>>;
  readonly perTest: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export default class extends TestEnvironment {
  readonly #note: string;
  #before: ReadonlyMap<string, number> = new Map();
  #startedAtMs = 0;
  #hasFailed = false;

  constructor(...[config, context]: ConstructorParameters<typeof TestEnvironment>) {
    super(config, context);
    const { rootDir } = config.projectConfig;
    this.#note = path.join(rootDir, ".reached", `${path.relative(rootDir, context.testPath)}.json`);
  }

  override async setup(): Promise<void> {
    await super.setup();
    this.#before = this.#reached();
    this.#startedAtMs = Date.now();
  }

  /** The first failing test has noticed the change: the file's other tests are skipped. */
  readonly handleTestEvent = (event: Circus.Event): void => {
    if (process.env["__STRYKER_ACTIVE_MUTANT__"] === undefined) return;
    if (event.name === "test_done") this.#hasFailed ||= event.test.errors.length > 0;
    if (event.name === "test_start" && this.#hasFailed) event.test.mode = "skip";
  };

  override async teardown(): Promise<void> {
    if (process.env["__STRYKER_ACTIVE_MUTANT__"] === undefined) {
      const changes = [...this.#reached()].filter(([change, times]) => times !== this.#before.get(change));
      const note = { ms: Date.now() - this.#startedAtMs, changes: changes.map(([change]) => change) };
      mkdirSync(path.dirname(this.#note), { recursive: true });
      writeFileSync(this.#note, JSON.stringify(note));
    }
    await super.teardown();
  }

  #reached(): Map<string, number> {
    const { mutantCoverage } = this.global["__stryker__"] as { readonly mutantCoverage?: Reached };
    const times = new Map<string, number>();
    if (mutantCoverage === undefined) return times;
    for (const counts of [mutantCoverage.static, ...Object.values(mutantCoverage.perTest)]) {
      for (const [change, count] of Object.entries(counts)) times.set(change, (times.get(change) ?? 0) + count);
    }
    return times;
  }
}
