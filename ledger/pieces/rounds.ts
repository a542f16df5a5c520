/** The rounds of a check in pieces: who merges asks for the results of a round, and each piece reads its share of the newest one. */

import { gunzipSync } from "node:zlib";
import { areEqual, inOneLine, type JsonLines, linesIn, packed, unpacked } from "./packed";
import { PieceError, type PiecePlan, type PieceStore, PiecesLeft, type PieceWork } from "./plan";

const DONE = "done";
const workName = (round: number) => `round-${round}/work`;
const resultName = (round: number, piece: number, what: string) => `round-${round}/piece-${piece}/${what}`;

/** The results of all pieces, in place of the readings of one. @param Work what a round asks of its pieces. */
export class MergedRounds<Work extends object> {
  private rounds = 0;

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
    const left: number[] = [];
    for (let piece = 0; piece < plan.pieces; piece++) {
      if ((await store.read(resultName(round, piece, DONE))) === undefined) left.push(piece);
    }
    if (left.length > 0) throw new PiecesLeft(round, left);
    return round;
  }

  /** What the pieces have written with `lines`, in turn: as one reading would have given it. */
  async *lines<T>(round: number, name: string): AsyncGenerator<T> {
    for (let piece = 0; piece < this.pieces.plan.pieces; piece++) {
      for await (const line of linesIn(await this.result(round, piece, name))) yield JSON.parse(line) as T;
    }
  }

  /** What each piece has written with `sums`. */
  async *sums<T>(round: number, name: string): AsyncGenerator<T> {
    for (let piece = 0; piece < this.pieces.plan.pieces; piece++) {
      yield JSON.parse(gunzipSync(await this.result(round, piece, name)).toString("utf8")) as T;
    }
  }

  private async result(round: number, piece: number, what: string): Promise<Buffer> {
    const name = resultName(round, piece, what);
    const bytes = await this.pieces.store.read(name);
    if (bytes === undefined) throw new Error(`${name} was there, and is not any more.`);
    return bytes;
  }
}

/** One piece of a round: which share is its own, and where it leaves what it has read. */
export class PieceOfRound {
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
    return this.store.write(resultName(this.round, this.piece, name), lines.bytes());
  }

  sums(name: string, sums: object): Promise<void> {
    return this.store.write(resultName(this.round, this.piece, name), inOneLine(sums));
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
  if ((await store.read(resultName(round, piece, DONE))) !== undefined) return undefined;
  const bytes = await store.read(workName(round));
  if (bytes === undefined) throw new Error(`${workName(round)} was there, and is not any more.`);
  await read(unpacked<Work>(bytes), new PieceOfRound(store, plan, round, piece));
  await store.write(resultName(round, piece, DONE), Buffer.from("done\n"));
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
