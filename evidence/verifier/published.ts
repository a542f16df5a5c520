/**
 * Every checkpoint that the log ever published, compared with the tree as it grows: one that says otherwise is a fork. And
 * the keys that signed them, compared with the order in which the log's keys followed each other.
 */

import { hash } from "node:crypto";
import { type Checkpoint, checkpointText, parseOwnCheckpoint } from "../log/checkpoint";
import { checkSignatures, type VerifierKey } from "../log/note";
import { checkpointPath } from "../log/paths";
import type { Findings } from "./findings";
import { badCosignature, cosignature, named, type SignedCheckpoint, signedCheckpoint } from "./head";
import type { Run } from "./run";

/** Checkpoints that a heartbeat may still name. The log publishes one a minute. */
const REMEMBERED_MAX = 65_536;

interface TreeText {
  readonly size: number;
  readonly text: string;
}

export class PublishedCheckpoints {
  /** How many were compared with the tree. */
  count = 0;
  /** Whether this log contains the checkpoint that was seen before. */
  continuesLast = false;
  /** Of the largest checkpoint that each pinned witness cosigned, by its key id. */
  private readonly cosigned = new Map<string, number>();
  private readonly order = new SignerOrder();
  private readonly textHashes = new Map<number, string>();
  private reached: TreeText[] = [];
  private next = 0;

  private constructor(
    private readonly run: Run,
    private readonly head: Checkpoint,
    private readonly sizes: Float64Array,
    private readonly last: SignedCheckpoint | undefined,
    /** Those of smaller trees were read by an earlier verification. */
    private readonly readFrom: number,
  ) {
    if (last !== undefined) this.order.take(last.checkpoint.size, last.signers);
  }

  /** Entries that the checkpoint which was seen before covers; 0 without one. */
  get lastSize(): number {
    return this.last?.checkpoint.size ?? 0;
  }

  /** Sizes, in rising order, at which `grown` must be called. */
  get sizesAsked(): Float64Array {
    const { last, sizes } = this;
    if (last === undefined || sizes.includes(last.checkpoint.size)) return sizes;
    return Float64Array.from([...sizes, last.checkpoint.size]).sort();
  }

  /** Of the largest checkpoint that all pinned witnesses cosigned; 0 where they cosigned none. */
  get cosignedSize(): number {
    const sizes = this.run.witnesses.map(({ keyId }) => this.cosigned.get(keyId) ?? 0);
    return sizes.length === 0 ? 0 : Math.min(...sizes);
  }

  /**
   * @param last a checkpoint of this log that was seen before, its signature checked.
   * @param readFrom size of the smallest tree whose published checkpoint is read.
   */
  static async of(
    run: Run,
    head: Checkpoint,
    last: SignedCheckpoint | undefined,
    readFrom = 0,
  ): Promise<PublishedCheckpoints> {
    const sizes: number[] = [];
    for await (const path of run.evidence.list("checkpoints/")) {
      const [, digits] = /^checkpoints\/([0-9]{16})$/.exec(path) ?? [];
      if (digits !== undefined && Number.isSafeInteger(Number(digits))) sizes.push(Number(digits));
      else run.findings.note(`${path} is no checkpoint's place, and was not looked at.`);
    }
    if (readFrom > 0)
      run.findings.note(`Published checkpoints of fewer than ${readFrom} entries were read earlier, and not again.`);
    return new PublishedCheckpoints(run, head, Float64Array.from(sizes).sort(), last, readFrom);
  }

  /** SHA-256 of the text of the checkpoint at this size, for what a heartbeat says of it. */
  textHashAt(size: number): string | undefined {
    return this.textHashes.get(size);
  }

  /** Called with 0, and then in rising order with each of `sizesAsked` that the tree comes to; other sizes do no harm. @param root called only where it is needed. */
  grown(size: number, root: () => Buffer, findings: Findings): void {
    if (size === this.last?.checkpoint.size) this.compareLast(root(), findings);
    if (size !== this.sizes[this.next]) return;
    this.next += 1;
    const text = checkpointText(this.head.origin, size, root());
    this.textHashes.set(size, hash("sha256", text, "base64url"));
    if (size >= this.readFrom) this.reached.push({ size, text });
    const [oldest] = this.textHashes.keys();
    if (this.textHashes.size > REMEMBERED_MAX && oldest !== undefined) this.textHashes.delete(oldest);
  }

  /** Reads those that the tree has come to. @param findings of the entries: they hold only if the tree is the signed one. */
  async checkReached(findings: Findings): Promise<void> {
    const reached = this.reached;
    this.reached = [];
    await Promise.all(reached.map((each) => this.check(each, findings)));
  }

  private async check({ size, text }: TreeText, findings: Findings): Promise<void> {
    const path = checkpointPath(size);
    const bytes = await this.run.evidence.read(path);
    const checkpoint = bytes === undefined ? "It was listed, and cannot be read." : parseOwnCheckpoint(bytes);
    if (typeof checkpoint === "string") {
      this.run.findings.add({ verdict: "altered", code: "EVIDENCE_ALTERED", message: `${path}: ${checkpoint}` });
      return;
    }
    this.count += 1;
    if (!this.isSigned(checkpoint, path)) return;
    if (checkpoint.note.text !== text) {
      const message = `${path} is signed, and says otherwise than the first ${size} entries of this log. Keep both: they prove the fork.`;
      findings.add({ verdict: "forked", code: "CHECKPOINT_FORKED", message });
      return;
    }
    for (const witness of this.run.witnesses) {
      if (size === this.head.size) continue;
      const cosigned = await cosignature(checkpoint.note, size, witness, this.run);
      if (cosigned === "bad") this.run.findings.add(badCosignature(witness, size));
      if (cosigned === "good") this.cosigned.set(witness.keyId, Math.max(size, this.cosigned.get(witness.keyId) ?? 0));
    }
  }

  private isSigned({ note, size }: Checkpoint, path: string): boolean {
    const { good, bad } = checkSignatures(note, [...this.run.keys, ...this.run.retiredKeys]);
    if (bad.length > 0) {
      const message = `${path} bears a signature of ${named(bad)} that this key did not make.`;
      this.run.findings.add({ verdict: "bad-signature", code: "BAD_SIGNATURE", message });
    } else if (good.length === 0) {
      const message = `${path} is signed by none of the keys that were given. Give the keys that the log had before, too.`;
      this.run.findings.add({ verdict: "incomplete", code: "CHECKPOINT_UNKNOWN_SIGNER", message });
    }
    if (bad.length > 0 || good.length === 0) return false;
    this.order.take(size, good);
    return true;
  }

  private compareLast(root: Buffer, findings: Findings): void {
    if (this.last?.checkpoint.root.equals(root) === true) {
      // Every log continues the empty one.
      this.continuesLast = this.lastSize > 0;
      return;
    }
    const message = `The checkpoint of ${this.lastSize} entries that was seen before is not of this log's past. Keep both: they prove the fork.`;
    findings.add({ verdict: "forked", code: "CHECKPOINT_FORKED", message });
  }

  /** Those of larger trees, at the end, and the head's own. @param signers of the head. */
  async finish(signers: readonly VerifierKey[]): Promise<void> {
    const { evidence, findings } = this.run;
    this.order.take(this.head.size, signers);
    const own = await evidence.read(checkpointPath(this.head.size));
    if (own === undefined) {
      const message = `${checkpointPath(this.head.size)} is not there, and the checkpoint says that it was published. Fetch the evidence again.`;
      findings.add({ verdict: "incomplete", code: "EVIDENCE_MISSING", message });
    }
    for (const size of this.sizes.filter((each) => each > this.head.size)) await this.checkLater(size);
    this.order.report(findings);
  }

  private async checkLater(size: number): Promise<void> {
    const path = checkpointPath(size);
    const bytes = await this.run.evidence.read(path);
    const later = bytes === undefined ? "It cannot be read." : parseOwnCheckpoint(bytes);
    if (typeof later === "string") {
      this.run.findings.add({ verdict: "altered", code: "EVIDENCE_ALTERED", message: `${path}: ${later}` });
    } else if (this.isSigned(later, path)) {
      const message = `${path} is newer than the checkpoint: an old one was put back, or the evidence was copied while the log grew. Fetch it again.`;
      this.run.findings.add({ verdict: "stale", code: "CHECKPOINT_REPLAYED", message });
    }
  }
}

/** The checkpoint that was seen before, if it may be believed and the log has come to it. */
export function lastSeen(text: string | undefined, head: Checkpoint, run: Run): SignedCheckpoint | undefined {
  if (text === undefined) return undefined;
  const trusted = [...run.keys, ...run.retiredKeys];
  const last = signedCheckpoint(Buffer.from(text), "The last checkpoint", run, "BAD_LAST_CHECKPOINT", trusted);
  if (last === undefined || last.checkpoint.size <= head.size) return last;
  const message = `The log had ${last.checkpoint.size} entries before and has ${head.size} now. It was put back, or this evidence is older than what was seen.`;
  run.findings.add({ verdict: "stale", code: "LOG_WENT_BACK", message });
  return undefined;
}

interface SignerSet {
  readonly keys: readonly VerifierKey[];
  /** Of the smallest and of the largest tree that exactly these keys signed. */
  first: number;
  last: number;
}

/**
 * The order in which the log's keys followed each other, as its checkpoints show it. Once a newer key signs, every later
 * checkpoint bears its signature: one that only older keys signed was not made by the log.
 */
export class SignerOrder {
  /** By the ids of their keys; a log has a few of them in its life. */
  private readonly sets = new Map<string, SignerSet>();

  /** @param keys with a good signature on the checkpoint of this size; checkpoints come in any order. */
  take(size: number, keys: readonly VerifierKey[]): void {
    const name = keys
      .map(({ keyId }) => keyId)
      .sort()
      .join();
    const set = this.sets.get(name);
    if (set === undefined) {
      this.sets.set(name, { keys, first: size, last: size });
      return;
    }
    set.first = Math.min(set.first, size);
    set.last = Math.max(set.last, size);
  }

  report(findings: Findings): void {
    const sets = [...this.sets.values()];
    const firstOf = (key: VerifierKey) =>
      Math.min(...sets.filter(({ keys }) => keys.includes(key)).map(({ first }) => first));
    const all = [...new Set(sets.flatMap(({ keys }) => keys))];
    for (const { keys, last } of sets) {
      const newest = Math.max(...keys.map(firstOf));
      const newer = all.find((key) => firstOf(key) > newest && firstOf(key) < last);
      if (newer === undefined) continue;
      const message = `The checkpoint of ${last} entries is signed by ${named(keys)}, and not by ${named([newer])}, which signs since the one of ${firstOf(newer)} entries. An older key vouches for no later checkpoint.`;
      findings.add({ verdict: "wrong-key", code: "RETIRED_KEY", message });
    }
  }
}
