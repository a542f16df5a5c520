/** What the pieces and mergings of one check have in common, also when several of them begin at once. */

import { gunzipSync, gzipSync } from "node:zlib";
import { JsonLines } from "../../../ledger/pieces/packed";
import { openPlan, type PieceStore, PiecesLeft, partOf } from "../../../ledger/pieces/plan";
import { MergedRounds, readPieceOfRound } from "../../../ledger/pieces/rounds";
import { memoryStore } from "../../support/pieces";

const NOW = new Date("2026-11-21T12:00:00.000Z");

/** A store in which all first reads come before any write, as with callers that begin at once. */
function readTogether(store: PieceStore, callers: number): PieceStore {
  let reading = 0;
  let go = () => {};
  const all = new Promise<void>((resolve) => {
    go = resolve;
  });
  return {
    ...store,
    read: async (name) => {
      const bytes = await store.read(name);
      reading += 1;
      if (reading === callers) go();
      await all;
      return bytes;
    },
  };
}

test("of several that begin a check at once all get one plan, in a part of a store too", async () => {
  for (const inPart of [false, true]) {
    const kept = memoryStore();
    const store = readTogether(inPart ? partOf(kept, "part") : kept, 3);
    const plans = await Promise.all([2, 3, 4].map((pieces) => openPlan(store, "subject", { pieces, now: NOW })));
    expect(new Set(plans.map((plan) => JSON.stringify(plan))).size).toBe(1);
    expect([...kept.kept.keys()]).toEqual([inPart ? "part/plan.json" : "plan.json"]);
    expect(JSON.parse(String([...kept.kept.values()][0]))).toEqual(plans[0]);
  }
});

test("of two that begin checks of different subjects in one place at once, one is refused", async () => {
  const store = readTogether(memoryStore(), 2);
  const begun = await Promise.allSettled(
    ["one", "other"].map((subject) => openPlan(store, subject, { pieces: 2, now: NOW })),
  );
  expect(begun.map((each) => (each.status === "rejected" ? each.reason.code : "begun")).sort()).toEqual([
    "OTHER_SUBJECT",
    "begun",
  ]);
});

interface Work {
  readonly buckets: ReadonlySet<number>;
  readonly cuts: ReadonlyMap<string, number>;
  readonly marks: Uint8Array;
}
const WORK: Work = { buckets: new Set([3, 1]), cuts: new Map([["PaymentLedger", 7]]), marks: Uint8Array.of(0, 1) };

describe("a round", () => {
  async function begun() {
    const store = memoryStore();
    const plan = await openPlan(store, "subject", { pieces: 2, now: NOW });
    const ask = (work: Work) => new MergedRounds<Work>({ store, plan }).resultsOf(work);
    await expect(ask(WORK)).rejects.toBeInstanceOf(PiecesLeft);
    return { store, plan, ask };
  }

  test("that was begun with other work gives no results, read or not", async () => {
    const { store, plan, ask } = await begun();
    const others: readonly Work[] = [
      { ...WORK, buckets: new Set([1]) },
      { ...WORK, cuts: new Map([["PaymentLedger", 8]]) },
      { ...WORK, marks: Uint8Array.of(1, 1) },
    ];
    for (const other of others) await expect(ask(other)).rejects.toMatchObject({ code: "OTHER_WORK" });
    for (const piece of [0, 1]) await readPieceOfRound<Work>({ store, plan, piece }, async () => {});
    for (const other of others) await expect(ask(other)).rejects.toMatchObject({ code: "OTHER_WORK" });
    expect(await ask(WORK)).toBe(0);
  });

  test("that two mergings begin at once with other work gives results to one of them", async () => {
    const kept = memoryStore();
    const plan = await openPlan(kept, "subject", { pieces: 1, now: NOW });
    const store = readTogether(kept, 2);
    const asked = await Promise.allSettled(
      [WORK, { ...WORK, buckets: new Set([2]) }].map((work) => new MergedRounds<Work>({ store, plan }).resultsOf(work)),
    );
    const codes = asked.map((each) => (each.status === "rejected" ? each.reason.code : "read"));
    expect(codes.sort()).toEqual(["OTHER_WORK", "PIECES_LEFT"]);
  });

  test("is the same round when another zlib has compressed its work", async () => {
    const { store, ask } = await begun();
    const bytes = store.kept.get("round-0/work") as Buffer;
    const other = gzipSync(gunzipSync(bytes), { level: 9 });
    expect(other).not.toEqual(bytes);
    store.kept.set("round-0/work", other);
    await expect(ask(WORK)).rejects.toMatchObject({ code: "PIECES_LEFT" });
  });

  test("takes the results of one reading of a piece alone, also where two read it at once and see different tables", async () => {
    const { store, plan } = await begun();
    const read = (piece: number, seen: string, between = async () => {}) =>
      readPieceOfRound<Work>({ store, plan, piece }, async (_work, own) => {
        const lines = new JsonLines();
        lines.add({ seen });
        await own.lines("lines", lines);
        await between();
        await own.sums("sums", { seen });
      });
    await read(0, "before", async () => void (await read(0, "after")));
    await read(1, "other piece");
    const merged = new MergedRounds<Work>({ store, plan });
    const round = await merged.resultsOf(WORK);
    const results: unknown[] = [];
    for await (const line of merged.lines(round, "lines")) results.push(line);
    for await (const sums of merged.sums(round, "sums")) results.push(sums);
    expect(results).toEqual([{ seen: "after" }, { seen: "other piece" }, { seen: "after" }, { seen: "other piece" }]);
  });

  test("gives no results before they were asked for", async () => {
    const { store, plan } = await begun();
    const merged = new MergedRounds<Work>({ store, plan });
    await expect(merged.lines(0, "lines").next()).rejects.toThrow("The results of round 1 were not asked for.");
  });
});
