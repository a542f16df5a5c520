/** What `npm run bench` measures, against what, and which ratio is the goal. */

import { readFileSync } from "node:fs";
import { unzipSync } from "fflate";
import { FUNCTIONS } from "../../contract";
import { buildHandlers } from "../build-handlers";
import type { NodeCost } from "./measured-node";
import {
  bareSdkRunner,
  boto3Runner,
  type Job,
  nodeRunner,
  type RunCost,
  type Runner,
  unpackedBundle,
} from "./measured-process";
import { exportedRecords } from "./million-records";
import { interleaved, type PairedMeasurement, spreadOf } from "./pairs";
import { startStub } from "./stub";
import { loadModules, synthRunner } from "./synth";
import { verifiedRecords } from "./verification";

export interface Goal {
  /** The ratio to the peer, or the value itself where there is no peer. */
  readonly limit: number;
  /** Whether more is better. */
  readonly atLeast?: boolean;
}

export interface Measurement {
  readonly what: string;
  readonly unit: string;
  readonly peer?: string;
  readonly measured: PairedMeasurement | Pick<PairedMeasurement, "ours">;
  readonly goal?: Goal;
}

export interface Settings {
  readonly rounds: number;
  readonly latencyMs: number;
}

export type Measure = (settings: Settings) => Promise<Measurement[]>;

const BOTO3 = "boto3, one PutItem";
const BARE_SDK = "AWS SDK, one PutItem";
const cpuEach = ({ cpuMs, payments }: RunCost) => cpuMs / payments;
const eachSecond = ({ wallMs, payments }: RunCost) => (1000 * payments) / wallMs;

interface Pair {
  readonly what: string;
  readonly unit: string;
  readonly peer: readonly [name: string, runner: Runner, job: Job];
  readonly job: Job;
  readonly value: (took: RunCost) => number;
  readonly goal?: Goal;
}

/** One stub for all pairs of a measure; it answers the peer and the function. */
async function compare(
  runner: Runner,
  pairs: readonly Pair[],
  { rounds, latencyMs }: Settings,
): Promise<Measurement[]> {
  const stub = await startStub(latencyMs);
  try {
    const rows: Measurement[] = [];
    for (const { what, unit, job, peer, value, goal } of pairs) {
      const [name, peerRunner, peerJob] = peer;
      const measured = await interleaved(
        rounds,
        async () => value(await runner(job, stub.url)),
        async () => value(await peerRunner(peerJob, stub.url)),
      );
      rows.push({ what, unit, peer: name, measured, ...(goal === undefined ? {} : { goal }) });
    }
    return rows;
  } finally {
    stub.stop();
  }
}

const persist = () => nodeRunner(unpackedBundle("persist-payment-ledger"));

/** Processor time of a payment: its row, its audit record, both MACs and the encrypted fields. */
const single: Measure = async (settings) => {
  const boto3 = await boto3Runner();
  const sdk = bareSdkRunner();
  const goals = { "2000/1": 1.5, "2000/16": 0.85, "10000/1": 1.2, "10000/16": 0.6 };
  const pairs = Object.entries(goals).flatMap(([form, limit]): Pair[] => {
    const [calls = 0, inFlight = 0] = form.split("/").map(Number);
    const job: Job = { mode: "single", calls, inFlight };
    const common = { unit: "ms of processor time a payment", job, value: cpuEach };
    const what = `single, ${inFlight} in flight, ${calls.toLocaleString("en")} calls`;
    const bare: Pair = { ...common, what, peer: [BARE_SDK, sdk, job] };
    return [{ ...common, what, peer: [BOTO3, boto3, job], goal: { limit } }, ...(calls === 2_000 ? [bare] : [])];
  });
  return compare(persist(), pairs, settings);
};

const list: Measure = async (settings) => {
  const boto3 = await boto3Runner();
  const job: Job = { mode: "list", calls: 500, inFlight: 1, listLength: 50 };
  const peer = [BOTO3, boto3, { mode: "single", calls: 5_000, inFlight: 1 }] as const;
  const what = "lists of 50, 1 in flight, 500 lists";
  const pair: Pair = { what, unit: "ms of processor time a payment", job, peer, value: cpuEach, goal: { limit: 0.18 } };
  return compare(persist(), [pair], settings);
};

const throughput: Measure = async (settings) => {
  const boto3 = await boto3Runner();
  const peer = [BOTO3, boto3, { mode: "single", calls: 5_000, inFlight: 16 }] as const;
  const common = { unit: "payments a second", peer, value: eachSecond };
  const pairs: Pair[] = [
    {
      ...common,
      what: "single, 16 in flight",
      job: { mode: "single", calls: 5_000, inFlight: 16 },
      goal: { limit: 1.35, atLeast: true },
    },
    {
      ...common,
      what: "lists of 50, 16 in flight",
      job: { mode: "list", calls: 500, inFlight: 16, listLength: 50 },
      goal: { limit: 9, atLeast: true },
    },
  ];
  return compare(persist(), pairs, settings);
};

const FILE_ROWS = 60_000;

/** The peer gets a file for each payment, as the sources' own function does. */
const files: Measure = async (settings) => {
  const boto3 = await boto3Runner();
  const runner = nodeRunner(unpackedBundle("payment-processor"));
  const pair: Pair = {
    what: `a file of ${FILE_ROWS.toLocaleString("en")} rows`,
    unit: "rows a second",
    job: { mode: "file", calls: FILE_ROWS },
    peer: ["boto3, a file and one PutItem", boto3, { mode: "file", calls: 1_500, inFlight: 1 }],
    value: eachSecond,
    goal: { limit: 12, atLeast: true },
  };
  return compare(runner, [pair], settings);
};

const cold: Measure = async (settings) => {
  const boto3 = await boto3Runner();
  const job: Job = { mode: "cold" };
  const peer = [BOTO3, boto3, job] as const;
  const limit = Number(process.versions.node.split(".")[0]) >= 24 ? 0.27 : 0.4;
  const what = "new process to second answer";
  const pairs: Pair[] = [
    { what, unit: "ms", job, peer, value: ({ wallMs }) => wallMs, goal: { limit } },
    { what, unit: "ms of processor time", job, peer, value: ({ cpuMs }) => cpuMs, goal: { limit } },
  ];
  return compare(persist(), pairs, { ...settings, rounds: settings.rounds * 3 });
};

/** The goal is that of the function that records payments; the others are listed. */
const bundles: Measure = async () => {
  const built = buildHandlers();
  return Object.values(FUNCTIONS).map(({ entry }) => {
    const bytes = unzipSync(readFileSync(built(entry).zip))["index.js"]?.length ?? Number.NaN;
    const row = { what: `bundle of ${entry}`, unit: "bytes", measured: { ours: spreadOf([bytes]) } };
    return entry === "persist-payment-ledger" ? { ...row, goal: { limit: 650_000 } } : row;
  });
};

const VERIFIED_PAYMENTS = 200_000;

/** Two fifths of the records of the check verify-million. */
const verify: Measure = async ({ rounds }) => {
  const records = verifiedRecords(VERIFIED_PAYMENTS);
  const measured = await interleaved(
    rounds,
    async () => (await records.verification(1)).cpuMs / 1000,
    async () => (await records.bare()).cpuMs / 1000,
  );
  const what = `verification of ${exportedRecords(VERIFIED_PAYMENTS).toLocaleString("en")} records`;
  const peer = "gunzip, JSON.parse, SHA-256";
  return [{ what, unit: "s of processor time", peer, measured, goal: { limit: 1.5 } }];
};

/** Of code that did not change: the first run builds what is missing, and is not counted. */
const synth: Measure = async ({ rounds }) => {
  const app = synthRunner();
  const compared = async (what: string, unit: string, value: (took: NodeCost) => number): Promise<Measurement> => {
    const measured = await interleaved(
      rounds,
      async () => value(await app.run()),
      async () => value(await loadModules()),
    );
    return { what, unit, peer: "node, the modules alone", measured, goal: { limit: 1.5 } };
  };
  try {
    await app.run();
    return [
      await compared("synth of unchanged code", "ms of processor time", ({ cpuMs }) => cpuMs),
      await compared("synth of unchanged code", "ms", ({ wallMs }) => wallMs),
    ];
  } finally {
    app.end();
  }
};

export const MEASURES = { single, list, throughput, files, cold, bundles, verify, synth } as const;
