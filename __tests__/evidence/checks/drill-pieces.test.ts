/** A restore drill whose restored tables are verified in pieces, by the state machine of the plan: what the whole finds. */

import { PIECES_PREFIXES } from "../../../contract";
import {
  type DrillOperationSettings,
  type DrillResponse,
  drillRestore,
} from "../../../evidence/checks/drill-operation";
import { pieceDefinition } from "../../../stacks/constructs/piece-machine";
import { runMachine } from "../../support/state-machine";
import { DrillWorld, EXPORT_BUCKET, importsEnd } from "./drill-world";

const PIECES = 3;
const RUNS_MAX = 60;
let world: DrillWorld;
beforeAll(async () => {
  world = await DrillWorld.start();
  await world.ledger.record(12, world.day(0));
  await world.ledger.seal(world.day(0.1));
  await world.exportAll(1);
});
afterAll(() => world?.stop());

const settingsInPieces = (): DrillOperationSettings => {
  const { s3, keyArn } = world.ledger;
  return world.settings({
    pieces: { count: PIECES, s3, bucket: EXPORT_BUCKET, keyArn, prefix: PIECES_PREFIXES.drillRestore },
  });
};

function invoke(event: unknown, days: number) {
  const { harness } = world.ledger;
  const call = { ...harness.call("drill_restore", world.day(days)), remainingMs: () => 900_000 };
  return drillRestore(event, call, harness.services, settingsInPieces());
}

let runs = 1;
/** One run of the machine, as its schedule starts it. @param visited gets the names of its states. */
const runOnce = (days: number, visited: string[] = []): Promise<DrillResponse> =>
  runMachine(
    pieceDefinition({ partition: "aws", functionArn: "drill", pieces: PIECES }),
    `run-${runs++}`,
    (event) => invoke(event, days),
    visited,
  ) as Promise<DrillResponse>;

/** A drill that is begun by hand, and ended by the machine. */
async function drillInPieces(days: number, visited: string[] = []): Promise<DrillResponse> {
  await invoke({ kind: "start" }, days);
  for (let count = 0; count < RUNS_MAX; count++) {
    const answer = await runOnce(days, visited);
    if (answer.outcome === "idle") return answer;
    if (answer.outcome === "importing") await importsEnd();
  }
  throw new Error("The drill does not end.");
}

/** The report without what differs between two drills of the same exports. The findings are sorted: a scan gives the items in any order. */
async function foundIn({ last }: DrillResponse): Promise<Record<string, unknown>> {
  const { drill: _drill, finishedAt: _at, verification, ...found } = JSON.parse(await world.object(last?.report ?? ""));
  const { asOf: _asOf, findings, ...verified } = verification;
  const sorted = (findings as object[]).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return { ...found, verification: { ...verified, findings: sorted } };
}

const readPieces = (visited: readonly string[]) => visited.filter((name) => name === "ReadPiece").length;

test("good exports: the report of the whole, one record, one signal, no table left, and every piece reads its segment", async () => {
  // The first drill has no checkpoint to go on from; these two have the same.
  await world.drill(1.2);
  const whole = await foundIn(await world.drill(1.3));
  const records = (await world.drillRecords()).length;
  world.ledger.harness.proxy.reset();
  const visited: string[] = [];
  const signals = await world.signals(async () => {
    const ended = await drillInPieces(1.4, visited);
    expect(ended).toMatchObject({ last: { passed: true }, codes: [] });
    expect(await foundIn(ended)).toEqual(whole);
  });
  expect(signals).toEqual(["RestoreDrillPassed"]);
  expect(await world.drillRecords()).toHaveLength(records + 1);
  expect(await world.scratchTables()).toEqual([]);
  expect(readPieces(visited)).toBeGreaterThanOrEqual(PIECES);
  expect(readPieces(visited) % PIECES).toBe(0);
  const scans = world.ledger.harness.proxy.calls.filter(({ target }) => target === "DynamoDB.Scan");
  expect(new Set(scans.map(({ input }) => input?.["TotalSegments"]))).toEqual(new Set([PIECES]));
  expect(scans.every(({ input }) => input?.["ConsistentRead"] === true)).toBe(true);
});

test("a damaged restore: the findings of the whole", async () => {
  let lines = 0;
  await world.forgeExport("PaymentLedger", (line) => {
    lines += 1;
    if (lines % 4 === 1) return [];
    return lines % 4 === 2 ? [line.replace('"Success"', '"Failure"')] : [line];
  });
  const whole = await foundIn(await world.drill(1.5));
  const { findings } = whole["verification"] as { readonly findings: readonly { readonly verdict: string }[] };
  expect(new Set(findings.map(({ verdict }) => verdict))).toEqual(new Set(["missing", "altered", "tail-not-pinned"]));
  const ended = await drillInPieces(1.6);
  expect(ended.last).toMatchObject({ passed: false });
  expect(await foundIn(ended)).toEqual(whole);
});

test("a step by hand leaves the verification to the machine", async () => {
  await invoke({ kind: "start" }, 1.7);
  let outcome = "";
  for (let count = 0; count < RUNS_MAX && outcome !== "verifying"; count++) {
    ({ outcome } = await invoke({ kind: "step" }, 1.7));
    if (outcome === "importing") await importsEnd();
  }
  expect(await invoke({ kind: "step" }, 1.7)).toMatchObject({ outcome: "verifying" });
});

test("a piece whose drill another run has ended reads nothing, and the machine of the slower run comes to its end", async () => {
  const merged = (await invoke({ kind: "merge", run: "slower" }, 1.7)) as { readonly part: string };
  expect(merged).toMatchObject({ outcome: "pieces-left", pieces: [0, 1, 2], round: 0 });
  const { part } = merged;
  for (let count = 0; count < RUNS_MAX; count++) {
    if ((await runOnce(1.7)).outcome === "idle") break;
  }
  const piece = { kind: "piece", run: "slower", part, piece: 0 };
  expect(await invoke(piece, 1.7)).toEqual({ outcome: "piece-read", piece: 0 });
  expect(await world.objectKeys(`pieces/drill/slower/${part}/round-0/piece-0`)).toEqual([]);
  expect(await invoke({ kind: "merge", run: "slower" }, 1.7)).toMatchObject({ outcome: "idle" });
});

test.each([{ kind: "merge" }, { kind: "piece", run: "x", part: "../x", piece: 0 }, { kind: "merge", run: "a/b" }])(
  "%j is no request",
  async (event) => {
    await expect(invoke(event, 1.8)).rejects.toMatchObject({ code: "BAD_REQUEST" });
  },
);
