/** A check of exports in pieces (`ledger/pieces/plan.ts`): each piece reads some of the data files and a segment of each table. */

import { JsonLines } from "../ledger/pieces/packed";
import type { PiecePlan, PieceStore, PieceWork } from "../ledger/pieces/plan";
import { MergedRounds, type PieceOfRound, readPieceOfRound } from "../ledger/pieces/rounds";
import type { Chain } from "./chain";
import {
  type CheckReadings,
  type CheckSource,
  type ExportedKey,
  type FileResult,
  type FileToRead,
  filesOfChain,
  type KeyTaker,
  readDataFile,
  readKeysAgain,
} from "./check-readings";
import { type PreparedCheck, readingOrderOf } from "./prepared-check";
import { comparisonOf, type PackedComparison, packedComparison, type TableComparison } from "./table-comparison";
import type { TableKey } from "./table-keys";

/** One round: the first reads everything of all checks, each further one some keys of one chain. */
type CheckWork =
  | { readonly kind: "first" }
  | {
      readonly kind: "again";
      /** Place of the check in its run. */
      readonly check: number;
      /** Deployed name of the chain's table. */
      readonly table: string;
      readonly buckets: ReadonlySet<number>;
    };

const filesName = (check: number) => `files-${check}`;
const sumsName = (check: number) => `sums-${check}`;
const EXPORTED = "exported";
const HELD = "held";

/** What the pieces of a run have summed up of one check, by the deployed name of the compared table. */
type CheckSums = Readonly<Record<string, PackedComparison>>;

/** The readings of each check of a run, from what pieces have left. @throws PiecesLeft while they are to be read. */
export async function piecedCheckReadings(pieces: PieceWork, checks: number): Promise<CheckReadings[]> {
  const rounds = new MergedRounds<CheckWork>(pieces);
  const round = await rounds.resultsOf({ kind: "first" });
  const runKey = runKeyOf(pieces.plan);
  return Array.from({ length: checks }, (_, check) => new PiecedCheckReadings(rounds, round, check, runKey));
}

class PiecedCheckReadings implements CheckReadings {
  private readonly results: AsyncGenerator<FileResult>;

  constructor(
    private readonly rounds: MergedRounds<CheckWork>,
    private readonly first: number,
    private readonly check: number,
    readonly runKey: Buffer,
  ) {
    this.results = rounds.lines(first, filesName(check));
  }

  async file(): Promise<FileResult> {
    const next = await this.results.next();
    if (next.done !== true) return next.value;
    throw new Error("The pieces have read fewer files than the manifests list.");
  }

  async table({ deployedTable }: Chain, comparison: TableComparison): Promise<void> {
    for await (const sums of this.rounds.sums<CheckSums>(this.first, sumsName(this.check))) {
      const own = sums[deployedTable];
      if (own === undefined) throw new Error("A piece has not summed up a table that is compared.");
      comparison.addAll(own);
    }
  }

  async again(
    { deployedTable: table }: Chain,
    _comparison: TableComparison,
    buckets: ReadonlySet<number>,
    take: KeyTaker,
  ): Promise<void> {
    const round = await this.rounds.resultsOf({ kind: "again", check: this.check, table, buckets });
    for await (const line of this.rounds.lines<ExportedKey>(round, EXPORTED)) take.exported(line);
    for await (const item of this.rounds.lines<TableKey>(round, HELD)) take.held(item);
  }
}

/** One check of a run, as a piece reads it. */
export interface CheckToRead extends CheckSource {
  readonly prepared: PreparedCheck;
}

export interface CheckPieceOptions {
  readonly store: PieceStore;
  readonly plan: PiecePlan | undefined;
  /** From 0. */
  readonly piece: number;
  /** All checks of the run, in the order in which they are merged. */
  readonly checks: readonly CheckToRead[];
  /** Default of `CheckOptions`. */
  readonly settleMs?: number;
  /** Called often. It may throw, to end the reading: the piece is then read anew. */
  readonly checkDeadline: () => void;
}

/** Reads one piece of the newest round. @returns that round; undefined where the piece was read before. @throws PieceError */
export function readCheckPiece(options: CheckPieceOptions): Promise<number | undefined> {
  return readPieceOfRound<CheckWork>(options, (work, own) => new CheckPieceReading(options, own).read(work));
}

class CheckPieceReading {
  private readonly runKey: Buffer;

  constructor(
    private readonly options: CheckPieceOptions,
    private readonly own: PieceOfRound,
  ) {
    this.runKey = runKeyOf(own.plan);
  }

  async read(work: CheckWork): Promise<void> {
    if (work.kind === "again") return this.readAgain(work);
    for (const [place, check] of this.options.checks.entries()) await this.readFirst(place, check);
  }

  private async readFirst(place: number, check: CheckToRead): Promise<void> {
    const { alone, chains } = this.orderOf(check);
    const compared = chains.map((chain) => ({ chain, comparison: this.comparisonOf(chain) }));
    const files = [
      ...alone.flatMap((manifest) =>
        manifest.files.map((file) => ({ each: { manifest, file }, comparison: undefined })),
      ),
      ...compared.flatMap(({ chain, comparison }) => filesOfChain(chain).map((each) => ({ each, comparison }))),
    ];
    const results = new JsonLines();
    for (const { each, comparison } of this.own.share<{ each: FileToRead; comparison: TableComparison | undefined }>(
      files,
    )) {
      this.options.checkDeadline();
      results.add(await readDataFile(check, each, comparison));
    }
    for (const { chain, comparison } of compared) {
      if (chain.full === undefined) continue;
      for await (const { key, recordedAt } of this.keysOf(check, chain)) comparison.addHeld(key, recordedAt);
    }
    await this.own.lines(filesName(place), results);
    const sums: CheckSums = Object.fromEntries(
      compared.map(({ chain, comparison }) => [chain.deployedTable, packedComparison(comparison)]),
    );
    await this.own.sums(sumsName(place), sums);
  }

  private async readAgain({ check: place, table, buckets }: CheckWork & { readonly kind: "again" }): Promise<void> {
    const check = this.options.checks[place];
    const chain = check && this.orderOf(check).chains.find(({ deployedTable }) => deployedTable === table);
    if (check === undefined || chain === undefined) throw new Error("A round asks for a table that is not compared.");
    const comparison = this.comparisonOf(chain);
    const [exported, held] = [new JsonLines(), new JsonLines()];
    for (const each of this.own.share(filesOfChain(chain))) {
      this.options.checkDeadline();
      await readKeysAgain(check, each, comparison, buckets, (line) => exported.add(line));
    }
    for await (const item of this.keysOf(check, chain)) if (comparison.isIn(buckets, item.key)) held.add(item);
    await this.own.lines(EXPORTED, exported);
    await this.own.lines(HELD, held);
  }

  /** With the chains that a table is compared with alone. */
  private orderOf({ prepared, tableOf }: CheckToRead) {
    const isCompared = (name: string) => tableOf(name) !== undefined;
    const { alone, chains } = readingOrderOf(prepared, isCompared);
    return { alone, chains: chains.filter(({ deployedTable }) => isCompared(deployedTable)) };
  }

  private comparisonOf(chain: Chain): TableComparison {
    return comparisonOf(chain, this.runKey, this.options.settleMs);
  }

  /** Of this piece's segment of the table. */
  private async *keysOf({ tableOf }: CheckToRead, { deployedTable }: Chain): AsyncGenerator<TableKey> {
    const { piece, plan } = this.own;
    let seen = 0;
    for await (const item of tableOf(deployedTable)?.keys({ segment: piece, of: plan.pieces }) ?? []) {
      if (seen++ % 1000 === 0) this.options.checkDeadline();
      yield item;
    }
  }
}

function runKeyOf({ runKey }: PiecePlan): Buffer {
  return Buffer.from(runKey, "base64");
}
