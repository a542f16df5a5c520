/**
 * What the log says of one record, from its first entry to its last: which version must be in the table, and whether
 * the entries agree with each other. Pure.
 */

import type { RecordKind } from "../log/entry";
import type { Finding } from "./report";

/** One entry about the record, in the log's order. */
export interface Leaf {
  readonly index: number;
  readonly kind: RecordKind;
  readonly version: string;
  readonly sequence: string;
  readonly commitment: string;
  readonly previous: string;
}

/** What is in the table after an entry. */
export interface RecordState {
  /** Entry from which on; -1 before the first. */
  readonly from: number;
  /** Empty when no item is there. */
  readonly commitment: string;
  readonly leaf?: Leaf;
}

export type HistoryFault = Pick<Finding, "verdict" | "code" | "message"> & { readonly leaf: Leaf };

export interface History {
  /** In the log's order, beginning with nothing. */
  readonly heads: readonly RecordState[];
  /** Entries that say again what one before them says. */
  readonly repeats: number;
  readonly faults: readonly HistoryFault[];
}

export function historyOf(leaves: readonly Leaf[]): History {
  const reading = new HistoryReading(leaves);
  for (const leaf of leaves) reading.take(leaf);
  return reading;
}

class HistoryReading implements History {
  readonly heads: RecordState[] = [{ from: -1, commitment: "" }];
  readonly faults: HistoryFault[] = [];
  repeats = 0;
  private readonly kept: Leaf[] = [];
  private lastSequence = "";

  constructor(private readonly leaves: readonly Leaf[]) {}

  take(leaf: Leaf): void {
    if (this.isSameEvent(leaf)) {
      this.repeats += 1;
      return;
    }
    this.checkSequence(leaf);
    const { commitment } = this.head;
    if (leaf.previous === commitment && leaf.commitment !== commitment) this.follow(leaf);
    else if (this.isLateTwin(leaf)) this.repeats += 1;
    else if (this.isRepeated(leaf)) {
      this.fault(leaf, "repeated", "REPEATED_ENTRY", "An earlier entry says the same under another sequence number.");
    } else if (this.isBehindLate(leaf) || this.wasAwaited(leaf)) this.kept.push(leaf);
    else this.contradict(leaf);
  }

  private get head(): RecordState {
    return this.heads.at(-1) ?? { from: -1, commitment: "" };
  }

  /** The stream delivered it twice. */
  private isSameEvent({ sequence, commitment, previous, version }: Leaf): boolean {
    if (sequence === "") return false;
    return this.kept.some(
      (each) =>
        each.sequence === sequence &&
        each.commitment === commitment &&
        each.previous === previous &&
        each.version === version,
    );
  }

  /** A sweep sealed it and the stream reported it too, in either order; the sweep knew another entry before it. */
  private isLateTwin(leaf: Leaf): boolean {
    return this.kept.some(
      (each) =>
        each.commitment === leaf.commitment &&
        each.version === leaf.version &&
        (each.sequence === "" || leaf.sequence === ""),
    );
  }

  /** A sweep sealed a later version before the stream came to this one. */
  private isBehindLate(leaf: Leaf): boolean {
    if (leaf.kind !== "RECORD") return false;
    return this.kept.some(({ kind, version }) => kind === "LATE" && isNewer(version, leaf.version));
  }

  /** An entry before it replaced it already, and that was said there. */
  private wasAwaited({ commitment }: Leaf): boolean {
    return commitment !== "" && this.kept.some(({ previous }) => previous === commitment);
  }

  private follow(leaf: Leaf): void {
    const isFirst = this.kept.length === 0;
    const before = this.head.leaf;
    this.advance(leaf);
    if (leaf.kind !== "RECORD") return;
    if (isFirst && leaf.version !== "1") {
      this.fault(
        leaf,
        "unsealed",
        "VERSION_UNSEALED",
        "The log begins with this version; the one before it was never sealed.",
      );
    } else if (before !== undefined && leaf.previous !== "" && !isNext(before, leaf)) {
      this.fault(leaf, "altered", "WRONG_VERSION", `It follows version ${before.version}.`);
    }
  }

  /** It replaces a version that is not the current one. */
  private contradict(leaf: Leaf): void {
    const { previous } = leaf;
    const isKnown = previous === "" || this.kept.some(({ commitment }) => commitment === previous);
    const comesLater =
      !isKnown && this.leaves.some(({ index, commitment }) => index > leaf.index && commitment === previous);
    if (comesLater) {
      this.fault(leaf, "out-of-order", "OUT_OF_ORDER", "The version that it replaced was sealed after it.");
    } else if (!isKnown && leaf.kind === "RECORD") {
      this.fault(leaf, "unsealed", "VERSION_UNSEALED", "The version that it replaced was never sealed.");
    } else if (isKnown && leaf.kind !== "LATE") {
      this.fault(leaf, "altered", "CONTRADICTING_ENTRIES", "It replaces what another entry had replaced already.");
    }
    this.advance(leaf);
  }

  private isRepeated({ commitment, previous, version }: Leaf): boolean {
    return this.kept.some(
      (each) => each.commitment === commitment && each.previous === previous && each.version === version,
    );
  }

  private advance(leaf: Leaf): void {
    this.kept.push(leaf);
    this.heads.push({ from: leaf.index, commitment: leaf.commitment, leaf });
  }

  private checkSequence(leaf: Leaf): void {
    if (leaf.sequence === "") return;
    if (this.lastSequence !== "" && BigInt(leaf.sequence) <= BigInt(this.lastSequence) && !this.wasAwaited(leaf)) {
      this.fault(leaf, "out-of-order", "SEQUENCE_BACK", "The stream delivered it before an earlier entry of the log.");
    }
    this.lastSequence = leaf.sequence;
  }

  private fault(leaf: Leaf, verdict: HistoryFault["verdict"], code: HistoryFault["code"], message: string): void {
    this.faults.push({ verdict, code, message, leaf });
  }
}

function isNext(before: Leaf, leaf: Leaf): boolean {
  return BigInt(leaf.version) === versionNumber(before.version) + 1n;
}

function isNewer(version: string, other: string): boolean {
  return versionNumber(version) > versionNumber(other);
}

/** Zero for a text that is no number: an entry about tampering may hold any. */
export function versionNumber(version: string): bigint {
  return /^[0-9]{1,38}$/.test(version) ? BigInt(version) : 0n;
}

/**
 * What the table may hold, when all entries before `cut` had to be in it and later ones may be.
 * @returns commitments; empty for nothing. The first is what the log demands.
 */
export function possibleStates(history: History, cut: number): readonly RecordState[] {
  const demanded = history.heads.findLastIndex(({ from }) => from < cut);
  return history.heads.slice(Math.max(0, demanded));
}
