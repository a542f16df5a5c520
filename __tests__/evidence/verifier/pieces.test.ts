/**
 * A verification in pieces gives the report of the whole. The suites of mutations compare both at each few of their worlds
 * (`Draft.verify`); here any damage meets any number of pieces, and the pieces meet what can go wrong with them.
 */

import fc from "fast-check";
import { exportSources } from "../../../evidence/verifier/export-source";
import { readPiece } from "../../../evidence/verifier/piece-reader";
import { planIn } from "../../../evidence/verifier/pieces";
import type { RecordChange, RecordSource } from "../../../evidence/verifier/sources";
import { type VerifyOptions, verifyLog } from "../../../evidence/verifier/verify";
import { PiecesLeft } from "../../../ledger/pieces/plan";
import { FolderOnDisk } from "../../support/log-world";
import { memoryEvidence } from "../../support/naive-log";
import { memoryStore, verifyInPieces } from "../../support/pieces";
import { Draft, genuineDraft, incrementalDraft, key, NOW } from "../../support/verified-world";

const genuine = genuineDraft();
const incremental = incrementalDraft();

/** Of all tests, one after the other: their worlds differ in a file or two. */
const disk = new FolderOnDisk();
afterAll(() => disk.remove());

async function withOptions<T>(draft: Draft, use: (options: VerifyOptions) => Promise<T>): Promise<T> {
  disk.write(draft.exports);
  return use({
    evidence: memoryEvidence(draft.evidence),
    ...(await exportSources(disk.folder)),
    keys: [key.vkey],
    settleMs: 0,
    now: NOW,
    blockHeight: 8,
    ...draft.options,
  });
}

/** What somebody may do to the bytes of a file. */
const DAMAGES: Readonly<Record<string, (bytes: Buffer, at: number) => Buffer | undefined>> = {
  flipped: (bytes, at) =>
    Buffer.from(bytes).fill((bytes[at % bytes.length] ?? 0) ^ 1, at % bytes.length, (at % bytes.length) + 1),
  cut: (bytes, at) => bytes.subarray(0, at % bytes.length),
  gone: () => undefined,
};
const LINE_DAMAGES: Readonly<Record<string, (lines: string[], at: number) => string[]>> = {
  dropped: (lines, at) => lines.filter((_, index) => index !== at),
  doubled: (lines, at) => [...lines, lines[at] ?? ""],
  altered: (lines, at) => lines.map((line, index) => (index === at ? line.replace(/"S":"/, '"S":"x') : line)),
};

const damage = fc.record({ file: fc.nat(), at: fc.nat(), what: fc.constantFrom(...Object.keys(DAMAGES)) });
const lineDamage = fc.record({ file: fc.nat(), at: fc.nat(), what: fc.constantFrom(...Object.keys(LINE_DAMAGES)) });

function damageLines(draft: Draft, damages: readonly { file: number; at: number; what: string }[]): void {
  const dataFiles = [...draft.exports.keys()].filter((name) => name.includes("/data/"));
  for (const { file, at, what } of damages) {
    const name = dataFiles[file % dataFiles.length] ?? "";
    const lines = draft.linesOf(name);
    draft.setLines(name, LINE_DAMAGES[what]?.(lines, at % Math.max(1, lines.length)) ?? []);
    draft.rewriteManifests(name);
  }
}

test("any damage of evidence and exports, in any number of pieces: the same report and the same findings in the same order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(genuine, incremental),
      fc.array(damage, { maxLength: 2 }),
      fc.array(lineDamage, { maxLength: 4 }),
      fc.integer({ min: 1, max: 5 }),
      async ({ built }, damages, lineDamages, pieces) => {
        const draft = new Draft(built);
        damageLines(draft, lineDamages);
        const evidenceFiles = [...draft.evidence.keys()];
        for (const { file, at, what } of damages) {
          const name = evidenceFiles[file % evidenceFiles.length] ?? "";
          const damaged = DAMAGES[what]?.(Buffer.from(draft.evidence.get(name) ?? ""), at);
          if (damaged === undefined) draft.evidence.delete(name);
          else draft.evidence.set(name, damaged);
        }
        await withOptions(draft, async (options) => {
          const [whole, inPieces]: [unknown[], unknown[]] = [[], []];
          const report = await verifyLog({ ...options, onFinding: (...found) => whole.push(found) });
          const same = await verifyInPieces({ ...options, onFinding: (...found) => inPieces.push(found) }, pieces);
          expect(same).toEqual(report);
          expect(inPieces).toEqual(whole);
        });
      },
    ),
    { numRuns: 8 },
  );
});

/** Tables that were restored from the exports, as a drill scans them: the segments follow each other in the order of the whole. */
async function restored(sources: readonly RecordSource[], segments: number): Promise<RecordSource[]> {
  return Promise.all(
    sources.map(async ({ table, name, takenAt, batches }) => {
      const items: RecordChange[] = [];
      for await (const batch of batches()) items.push(...batch.filter(({ now }) => now !== undefined));
      const at = (end: number) => Math.floor((end * items.length) / segments);
      const segment = (place: number) =>
        async function* () {
          yield items.slice(at(place), at(place + 1));
        };
      const all = async function* () {
        yield items;
      };
      return {
        table,
        name,
        takenAt,
        batches: all,
        segments: Array.from({ length: segments }, (_, place) => segment(place)),
      };
    }),
  );
}

test("any damage of restored tables, in any number of pieces: the same report and the same findings in the same order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(lineDamage, { maxLength: 6 }),
      fc.integer({ min: 2, max: 7 }),
      async (lineDamages, pieces) => {
        const draft = new Draft(genuine.built);
        damageLines(draft, lineDamages);
        await withOptions(draft, async (options) => {
          const [whole, inPieces]: [unknown[], unknown[]] = [[], []];
          const report = await verifyLog({
            ...options,
            sources: await restored(options.sources, 4),
            onFinding: (...found) => whole.push(found),
          });
          const sources = await restored(options.sources, pieces);
          const onFinding = (...found: unknown[]) => inPieces.push(found);
          expect(await verifyInPieces({ ...options, sources, onFinding }, pieces)).toEqual(report);
          expect(inPieces).toEqual(whole);
        });
      },
    ),
    { numRuns: 6, endOnFailure: true },
  );
});

test("blocks of a log are whole subtrees: the report does not depend on their height", async () => {
  const draft = new Draft(genuine.built);
  draft.changeItem("PaymentLedger", "pay-5", () => undefined);
  await withOptions(draft, async (options) => {
    expect(await verifyLog({ ...options, blockHeight: 16 })).toEqual(await verifyLog({ ...options, blockHeight: 8 }));
  });
});

test("a piece that was ended is read anew, one that was read is not; until all are read there is no verdict", async () => {
  await withOptions(genuine, async (options) => {
    const store = memoryStore();
    const plan = await planIn(store, options, { pieces: 3, now: NOW });
    const merge = () => verifyLog({ ...options, pieces: { store, plan } });
    await expect(merge()).rejects.toMatchObject({ code: "PIECES_LEFT", round: 0, left: [0, 1, 2] });
    const ended = readPiece({
      ...options,
      store,
      piece: 1,
      checkDeadline: () => {
        throw new Error("ended");
      },
    });
    await expect(ended).rejects.toThrow("ended");
    expect(await readPiece({ ...options, store, piece: 0 })).toBe(0);
    expect(await readPiece({ ...options, store, piece: 0 })).toBeUndefined();
    await expect(merge()).rejects.toMatchObject({ left: [1, 2] });
    expect(await verifyInPieces(options, 3, store)).toEqual(await verifyLog(options));
  });
});

test("a plan of other evidence or other exports is refused, and so is a piece that the plan does not have", async () => {
  const store = memoryStore();
  await withOptions(genuine, async (options) => {
    await expect(readPiece({ ...options, store, piece: 0 })).rejects.toMatchObject({ code: "NO_PLAN" });
    const plan = await planIn(store, options, { pieces: 2, now: NOW });
    await expect(verifyLog({ ...options, pieces: { store, plan } })).rejects.toBeInstanceOf(PiecesLeft);
    await expect(readPiece({ ...options, store, piece: 2 })).rejects.toMatchObject({ code: "NO_SUCH_PIECE" });
  });
  await withOptions(incremental, async (options) => {
    await expect(planIn(store, options, { pieces: 2, now: NOW })).rejects.toMatchObject({ code: "OTHER_SUBJECT" });
    await expect(readPiece({ ...options, store, piece: 0 })).rejects.toMatchObject({ code: "OTHER_SUBJECT" });
  });
});
