/** The rounds of a check in pieces: who merges asks for the results of a round, and each piece reads its share of the newest one. */

import { randomUUID } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { areEqual, inOneLine, type JsonLines, linesIn, packed, unpacked } from "./packed";
import { PieceError, type PiecePlan, type PieceStore, PiecesLeft, type PieceWork } from "./plan";

const workName = (round: number) => `round-${round}/work`;
const pieceName = (round: number, piece: number) => `round-${round}/piece-${piece}`;
/** Names the reading of the piece whose results count: the first that ended. */
const doneName = (round: number, piece: number) => `${pieceName(round, piece)}/done`;

/** The results of all pieces, in place of the readings of one. @param Work what a round asks of its pieces. */
export class MergedRounds<Work extends object> {
  private rounds = 0;
  /** For each round the folders of its results, by piece. */
  private readonly folders: string[][] = [];

  constructor(private readonly pieces: PieceWork) {}

  /**
   * @returns the number of the round.
   * @throws PiecesLeft unless every piece of it was read.
   * @throws PieceError where the round was begun with other work.
   */
  async resultsOf(work: Work): Promise<number> {
    const { store, plan } = this.pieces;
    const round = this.rounds;
    this.rounds += 1;
    const asked = packed(work);
    const begun = (await store.read(workName(round))) ?? (await store.create(workName(round), asked));
    if (!areEqual(begun, asked)) throw otherWork(round);
    const [folders, left]: [string[], number[]] = [[], []];
    for (let piece = 0; piece < plan.pieces; piece++) {
      const reading = await store.read(doneName(round, piece));
      if (reading === undefined) left.push(piece);
      else folders.push(`${pieceName(round, piece)}/${reading.toString("utf8")}`);
    }
    if (left.length > 0) throw new PiecesLeft(round, left);
    this.folders[round] = folders;
    return round;
  }

  /** What the pieces have written with `lines`, in turn: as one reading would have given it. */
  async *lines<T>(round: number, name: string): AsyncGenerator<T> {
    for await (const result of this.results(round, name)) {
      for await (const line of linesIn(result)) yield JSON.parse(line) as T;
    }
  }

  /** What each piece has written with `sums`. */
  async *sums<T>(round: number, name: string): AsyncGenerator<T> {
    for await (const result of this.results(round, name)) yield JSON.parse(gunzipSync(result).toString("utf8")) as T;
  }

  private async *results(round: number, what: string): AsyncGenerator<Buffer> {
    const folders = this.folders[round];
    if (folders === undefined) throw new RangeError(`The results of round ${round + 1} were not asked for.`);
    for (const folder of folders) {
      const bytes = await this.pieces.store.read(`${folder}/${what}`);
      if (bytes === undefined) throw new Error(`${folder}/${what} is not there, although that reading ended.`);
      yield bytes;
    }
  }
}

/**
 * One reading of one piece of a round: which share is its own, and where it leaves what it has read. A piece may be read twice at
 * once, as when a function is called again while it runs, and a table changes meanwhile: each reading has a separate folder, so the
 * results of one never come beside those of another.
 */
export class PieceOfRound {
  private readonly reading = randomUUID();

  constructor(
    private readonly store: PieceStore,
    readonly plan: PiecePlan,
    private readonly round: number,
    /** From 0. */
    readonly piece: number,
  ) {}

  /** This piece's share, without a gap between those of its neighbours: so results of all pieces in turn are those of the whole. */
  share<T>(units: readonly T[]): readonly T[] {
    const { pieces } = this.plan;
    const at = (end: number) => Math.floor((end * units.length) / pieces);
    return units.slice(at(this.piece), at(this.piece + 1));
  }

  lines(name: string, lines: JsonLines): Promise<void> {
    return this.store.write(this.nameOf(name), lines.bytes());
  }

  sums(name: string, sums: object): Promise<void> {
    return this.store.write(this.nameOf(name), inOneLine(sums));
  }

  /** Of several readings that end, only the first one counts. */
  async end(): Promise<void> {
    await this.store.create(doneName(this.round, this.piece), Buffer.from(this.reading));
  }

  private nameOf(what: string): string {
    return `${pieceName(this.round, this.piece)}/${this.reading}/${what}`;
  }
}

/**
 * Reads one piece of the newest round.
 * @param plan of the check; undefined where none was begun.
 * @param piece from 0.
 * @returns that round; undefined where the piece was read before.
 * @throws PieceError
 */
export async function readPieceOfRound<Work>(
  { store, plan, piece }: { readonly store: PieceStore; readonly plan: PiecePlan | undefined; readonly piece: number },
  read: (work: Work, own: PieceOfRound) => Promise<void>,
): Promise<number | undefined> {
  const round = await newestRound(store);
  if (plan === undefined || round === undefined) {
    throw new PieceError("NO_PLAN", "No check in pieces was begun there. Begin it with verify --work.");
  }
  if (piece >= plan.pieces) {
    const message = `There are the pieces 1 to ${plan.pieces}. Name one of them.`;
    throw new PieceError("NO_SUCH_PIECE", message);
  }
  if ((await store.read(doneName(round, piece))) !== undefined) return undefined;
  const bytes = await store.read(workName(round));
  if (bytes === undefined) throw new Error(`${workName(round)} was there, and is not any more.`);
  const own = new PieceOfRound(store, plan, round, piece);
  await read(unpacked<Work>(bytes), own);
  await own.end();
  return round;
}

function otherWork(round: number): PieceError {
  const message =
    `Round ${round + 1} was begun with other work than this merging asks for: its results would be taken for those of other readings. ` +
    "A check in pieces is merged by one version of the program, over the same evidence and exports. Begin anew, in an empty folder.";
  return new PieceError("OTHER_WORK", message);
}

async function newestRound(store: PieceStore): Promise<number | undefined> {
  let round = 0;
  while ((await store.read(workName(round))) !== undefined) round += 1;
  return round === 0 ? undefined : round - 1;
}
