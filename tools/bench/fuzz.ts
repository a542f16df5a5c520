/**
 * Sends damaged and hostile inputs by every way in, and checks that each ends in a coded outcome, within time, and that no
 * card number and no clear token rests afterwards. `npm run soak:fuzz [-- SHARE [SEED]]`: SHARE 1 is at least 200,000
 * inputs; an input that fails is made again from the seed that is printed with it.
 */

import "../../local/sdk-warning";
import { fork } from "node:child_process";
import { DirectCallsWay, EventQueue, PaymentFileWay, PaymentQueue } from "./fuzz/ledger-ways";
import type { FuzzTarget } from "./fuzz/ledger-world";
import { Proofs, StreamEvents, VerifierFolders } from "./fuzz/log-ways";
import { Random } from "./fuzz/random";

/** Inputs of each way at SHARE 1. A verification reads a whole folder, so its ways have fewer. */
const WAYS: Readonly<Record<string, { readonly inputs: number; readonly make: () => FuzzTarget }>> = {
  direct: { inputs: 60_000, make: () => new DirectCallsWay() },
  payments: { inputs: 35_000, make: () => new PaymentQueue() },
  events: { inputs: 35_000, make: () => new EventQueue() },
  files: { inputs: 20_000, make: () => new PaymentFileWay() },
  stream: { inputs: 20_000, make: () => new StreamEvents() },
  proofs: { inputs: 30_000, make: () => new Proofs() },
  evidence: { inputs: 1_500, make: () => new VerifierFolders("evidence folders") },
  exports: { inputs: 1_500, make: () => new VerifierFolders("export folders") },
};
/** After so many inputs a way looks through what rests, and begins anew. */
const SETTLE_EVERY = 500;
/** An input that takes longer than this hangs. */
const SILENCE_MAX_MS = 60_000;
const FAILURES_SHOWN = 5;

interface Result {
  readonly way: string;
  readonly inputs: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
  readonly hangs: number;
}

/** Runs in a separate process and reports after each input that it is alive. */
async function runWay(name: string, inputs: number, seed: number): Promise<void> {
  const way = WAYS[name]?.make();
  if (way === undefined) throw new Error(`There is no way ${name}.`);
  const outcomes: Record<string, number> = {};
  const failures: string[] = [];
  const attempt = async (from: string, act: () => Promise<void>) => {
    try {
      await act();
    } catch (error) {
      failures.push(
        `${from}: ${error instanceof Error ? (error.stack ?? error.message).slice(0, 600) : String(error)}`,
      );
    }
  };
  for (let each = 0; each < inputs; each++) {
    await attempt(`seed ${seed + each}`, async () => {
      const outcome = await way.send(new Random(seed + each));
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    });
    if (each % SETTLE_EVERY === SETTLE_EVERY - 1 || each === inputs - 1) {
      await attempt(`at rest after seed ${seed + each}`, () => way.settle());
    }
    process.send?.({ alive: true });
  }
  process.send?.({ result: { way: way.name, inputs, outcomes, failures, hangs: 0 } satisfies Result });
}

/** Ends the process when it is silent for too long: then one of its inputs hangs. */
function watched(name: string, inputs: number, seed: number): Promise<Result> {
  return new Promise((resolve) => {
    const child = fork(__filename, ["--way", name, String(inputs), String(seed)], { execArgv: process.execArgv });
    let result: Result = {
      way: name,
      inputs,
      outcomes: {},
      failures: ["the process ended without a result"],
      hangs: 0,
    };
    const silence = () =>
      setTimeout(() => {
        result = { ...result, failures: ["an input hangs"], hangs: 1 };
        child.kill("SIGKILL");
      }, SILENCE_MAX_MS);
    let timer = silence();
    child.on("message", (message: { result?: Result }) => {
      clearTimeout(timer);
      timer = silence();
      if (message.result !== undefined) result = message.result;
    });
    child.on("exit", () => {
      clearTimeout(timer);
      resolve(result);
    });
  });
}

async function main(): Promise<void> {
  const [share = "1", seedText] = process.argv.slice(2);
  const seed = seedText === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(seedText);
  console.log(`seed ${seed}`);
  let [sent, failed, hangs] = [0, 0, 0];
  for (const [name, { inputs }] of Object.entries(WAYS)) {
    const result = await watched(name, Math.ceil(inputs * Number(share)), seed);
    sent += result.inputs;
    failed += result.failures.length;
    hangs += result.hangs;
    const outcomes = Object.entries(result.outcomes).sort(([, a], [, b]) => b - a);
    console.log(
      `${result.way}: ${result.inputs} inputs; ${outcomes.map(([each, count]) => `${each} ${count}`).join(", ")}`,
    );
    for (const failure of result.failures.slice(0, FAILURES_SHOWN)) console.log(`  FAILED ${failure}`);
  }
  console.log(
    `${sent.toLocaleString("en")} inputs, ${failed} outside the coded outcomes or with something secret at rest, ${hangs} hangs`,
  );
  process.exitCode = failed === 0 ? 0 : 1;
}

const [flag, name = "", inputs, seed] = process.argv.slice(2);
(flag === "--way" ? runWay(name, Number(inputs), Number(seed)) : main()).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
