/** The ways into the log and into the verifier: stream events, exports, evidence folders, proofs. */

import { gunzipSync, gzipSync } from "node:zlib";
import { aPaymentRecord, streamRecord } from "../../../__tests__/evidence/sealing/changes";
import { type Sealer, startSealer } from "../../../__tests__/evidence/sealing/sealer";
import { fakeWorld } from "../../../__tests__/evidence/sealing/worlds";
import { stubServices } from "../../../__tests__/ledger/rules/stub-services";
import { at } from "../../../__tests__/support/log-world";
import { memoryEvidence } from "../../../__tests__/support/naive-log";
import { Draft, genuineDraft, isNeeded, key, witness } from "../../../__tests__/support/verified-world";
import { FUNCTIONS } from "../../../contract";
import { parseCheckpoint } from "../../../evidence/log/checkpoint";
import { entryBytes } from "../../../evidence/log/entry";
import { NoteError, parseVerifierKey } from "../../../evidence/log/note";
import { CHECKPOINT_PATH } from "../../../evidence/log/paths";
import { SealingError } from "../../../evidence/sealing/errors";
import { tileReader } from "../../../evidence/verifier/merkle-tree";
import { checkProof, ProofError, parseProof, proofBytes } from "../../../evidence/verifier/proof";
import { findEntries, proofOf, provenPath } from "../../../evidence/verifier/proof-search";
import { VERDICTS } from "../../../evidence/verifier/report";
import { SourceError } from "../../../evidence/verifier/sources";
import type { ItemJson } from "../../../ledger/rules/attribute-value";
import { anyJson, changed, type FuzzObject } from "./inputs";
import { type FuzzTarget, mustFit, Unexpected } from "./ledger-world";
import { damaged, type Random } from "./random";

/** Events as the tables' streams send them, or as somebody who may invoke the sealer shapes them. */
export class StreamEvents implements FuzzTarget {
  readonly name = "stream events";
  readonly #services = stubServices();
  #sealer: Sealer = startSealer(fakeWorld());
  #sent = 0;

  async send(random: Random): Promise<string> {
    this.#sent += 1;
    const [before, now] = await Promise.all([
      aPaymentRecord(`pay-${random.below(50)}`, this.#services),
      aPaymentRecord(`pay-${random.below(50)}`, this.#services, "Failure"),
    ]);
    const images = random.pick([{ now }, { before }, { before, now }]);
    const record = JSON.parse(JSON.stringify(streamRecord("PaymentLedger", images))) as FuzzObject;
    const inner = record["dynamodb"] as FuzzObject;
    for (const name of ["Keys", "NewImage", "OldImage"]) {
      if (inner[name] !== undefined && random.chance(0.3)) inner[name] = changed(inner[name] as FuzzObject, random);
    }
    if (random.chance(0.2)) record["dynamodb"] = changed(inner, random);
    const event = random.chance(0.1)
      ? anyJson(random)
      : { Records: [random.chance(0.8) ? record : changed(record, random)] };
    const answer = await this.#answerTo(event);
    if (typeof answer === "string") return answer;
    mustFit(`${FUNCTIONS.sealAuditTrail.name}.response`, answer);
    return String(answer["outcome"] ?? Object.keys(answer).sort().join("+"));
  }

  /** An event that the sealer does not handle is refused with a code: a stream's batch then waits, and an alarm says so. */
  async #answerTo(event: unknown): Promise<Record<string, unknown> | string> {
    try {
      return JSON.parse(JSON.stringify(await this.#sealer.invoke(event))) as Record<string, unknown>;
    } catch (error) {
      if (error instanceof SealingError) return error.code;
      throw error;
    }
  }

  async settle(): Promise<void> {
    const answer = JSON.stringify(await this.#sealer.beat());
    if (!answer.includes("published"))
      throw new Unexpected(`After these events the log cannot be published: ${answer}`);
    this.#sealer = startSealer(fakeWorld());
  }
}

/** A genuine world in which one file is damaged or removed: of the evidence, or of the exports. */
export class VerifierFolders implements FuzzTarget {
  readonly #draft = genuineDraft();

  constructor(readonly name: "evidence folders" | "export folders") {}

  async send(random: Random): Promise<string> {
    const draft = new Draft(this.#draft.built);
    const files = this.name === "evidence folders" ? draft.evidence : draft.exports;
    const path = random.pick([...files.keys()]);
    const bytes = files.get(path) ?? Buffer.alloc(0);
    const isPacked = path.endsWith(".gz") && random.chance(0.7);
    const [old, put] = isPacked ? [gunzipSync(bytes), gzipSync] : [bytes, (content: Buffer) => content];
    const isRemoved = random.chance(0.1);
    const changedTo = damaged(old, random);
    if (isRemoved) files.delete(path);
    else files.set(path, put(changedTo));
    const isWitnessed = random.chance(0.5);
    if (isWitnessed) draft.options = { witnessKeys: [witness.vkey] };
    try {
      const { verdict } = await draft.verify();
      if (!VERDICTS.includes(verdict)) throw new Unexpected(`There is no verdict ${verdict}.`);
      if (verdict !== "ok") return verdict;
      if (!isRemoved && changedTo.equals(old)) return "unchanged";
      if (isRemoved && !isNeeded(path, this.#draft.evidence, isWitnessed)) return "not needed";
      if (path.startsWith("cosignatures/") && !isWitnessed) return "not read without a witness";
      throw new Unexpected(`ok although ${path} is ${isRemoved ? "gone" : `changed: ${changedTo.toString("base64")}`}`);
    } catch (error) {
      if (error instanceof SourceError || error instanceof NoteError) return error.code;
      throw error;
    }
  }

  async settle(): Promise<void> {}
}

/** A genuine proof, damaged in one to four places: none may be taken. */
export class Proofs implements FuzzTarget {
  readonly name = "proofs";
  #proof: Promise<{ readonly bytes: Buffer; readonly item: ItemJson }> | undefined;

  async send(random: Random): Promise<string> {
    this.#proof ??= genuineProof();
    const { bytes, item } = await this.#proof;
    const sent = damaged(bytes, random);
    if (sent.equals(bytes)) return "unchanged";
    try {
      const { verdict } = checkProof(parseProof(sent), item, [parseVerifierKey(key.vkey)]);
      if (verdict === "ok") throw new Unexpected(`A damaged proof is taken: ${sent.toString("base64")}`);
      return verdict;
    } catch (error) {
      if (error instanceof ProofError || error instanceof NoteError) return error.code;
      throw error;
    }
  }

  async settle(): Promise<void> {}
}

async function genuineProof(): Promise<{ readonly bytes: Buffer; readonly item: ItemJson }> {
  const { evidence: files, world } = genuineDraft();
  const evidence = memoryEvidence(files);
  const note = files.get(CHECKPOINT_PATH) ?? Buffer.alloc(0);
  const checkpoint = parseCheckpoint(note);
  const id = "pay-5";
  for await (const { leaf, entry } of findEntries(evidence, checkpoint.size, new Set([id]))) {
    if (entry.kind === "HEARTBEAT" || entry.table !== "PaymentLedger") continue;
    const path = await provenPath(tileReader(evidence, checkpoint.size), checkpoint, leaf, entryBytes(entry));
    const bytes = proofBytes(proofOf({ leaf, entry }, path, note));
    return { bytes, item: world.rows("PaymentLedger").get(id) as ItemJson };
  }
  throw new Error(`There is no entry of ${id}, made at ${at(0)}.`);
}
