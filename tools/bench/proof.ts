/**
 * How long a record's proof is and how long it takes to check, in a log of a million entries written by the sealer's own
 * code: with the log's signature alone, and with two witnesses. `npm run bench -- proof [entries]`.
 */

import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { checkpointText } from "../../evidence/log/checkpoint";
import { entryBytes, type RecordEntry } from "../../evidence/log/entry";
import { parseVerifierKey } from "../../evidence/log/note";
import { CHECKPOINT_PATH } from "../../evidence/log/paths";
import { rootOf } from "../../evidence/sealing/frontier";
import { ED25519, encodeNote, encodeSignatureLine, encodeVerifierKey, type NoteKey } from "../../evidence/sealing/note";
import { TileWriter } from "../../evidence/sealing/tile-writer";
import { inclusionProof, tileReader } from "../../evidence/verifier/merkle-tree";
import { checkProof, parseProof, proofBytes } from "../../evidence/verifier/proof";
import { proofOf } from "../../evidence/verifier/proof-search";
import { addCheckpoint, submissionBody } from "../../evidence/verifier/witness";
import { cosignerOf, newWitnessKey } from "../../evidence/verifier/witness-key";
import type { ItemJson } from "../../ledger/rules/attribute-value";
import { commitmentOf } from "../../ledger/rules/commitment";

const ENTRIES = Number(process.argv[2] ?? 1_000_000);
const PROOFS = 2_000;
const BYTES_MAX = 2_048;
const CHECK_MAX_MS = 5;
const ORIGIN = "payment-ledger/us-east-1/111122223333/prod";
const AT = Date.UTC(2026, 10, 21, 12);

/** As long as a row of PaymentLedger with an encrypted token. */
function itemOf(index: number): ItemJson {
  return {
    TransactionID: { S: `txn-${String(index).padStart(32, "0")}` },
    Amount: { S: `${index % 5000}.00` },
    Currency: { S: "EUR" },
    SecureToken: { B: Buffer.alloc(300, index).toString("base64") },
    Salt: { B: Buffer.alloc(16, index).toString("base64") },
    Mac: { B: Buffer.alloc(32, index).toString("base64") },
    Version: { N: "1" },
    RecordedAt: { S: new Date(AT + index).toISOString() },
  };
}

function entryOf(index: number): RecordEntry {
  const item = itemOf(index);
  return {
    kind: "RECORD",
    table: "PaymentLedger",
    key: [`txn-${String(index).padStart(32, "0")}`],
    version: "1",
    sequence: String(4n * 10n ** 26n + BigInt(index)),
    commitment: commitmentOf("PaymentLedger", item),
    previous: "",
  };
}

/** Its tiles and checkpoint; the bundles, which no proof needs, are dropped. */
function writeLog(key: NoteKey, privateKey: KeyObject): Map<string, Buffer> {
  const tree = new TileWriter(0, []);
  const files = new Map<string, Buffer>();
  for (let index = 0; index < ENTRIES; index += 1) {
    tree.add(entryBytes(entryOf(index)));
    for (const { path, bytes } of tree.takeFinished()) if (!path.includes("entries")) files.set(path, bytes);
  }
  for (const { path, bytes } of tree.unfinished()) files.set(path, bytes);
  const text = checkpointText(ORIGIN, ENTRIES, rootOf(tree.frontier()));
  const note = encodeNote(text, [encodeSignatureLine(key, sign(null, Buffer.from(text), privateKey))]);
  return files.set(CHECKPOINT_PATH, Buffer.from(note));
}

interface Measured {
  readonly bytes: number;
  readonly checks: readonly number[];
}

async function measure(files: ReadonlyMap<string, Buffer>, checkpoint: Buffer, vkeys: string[], witnesses: string[]) {
  const evidence = { name: "the log", read: async (path: string) => files.get(path), list: async function* () {} };
  const hashes = tileReader(evidence, ENTRIES);
  const keys = vkeys.map(parseVerifierKey);
  const witnessKeys = witnesses.map(parseVerifierKey);
  const checks: number[] = [];
  let bytes = 0;
  for (let each = 0; each < PROOFS; each += 1) {
    // A stride without a common divisor: from all over the log, the same at every run.
    const leaf = (each * 499_979) % ENTRIES;
    const path = await inclusionProof(hashes, leaf, ENTRIES);
    const file = proofBytes(proofOf({ leaf, entry: entryOf(leaf) }, path, checkpoint));
    const item = itemOf(leaf);
    const started = performance.now();
    const { verdict } = checkProof(parseProof(file), item, keys, witnessKeys);
    checks.push(performance.now() - started);
    if (verdict !== "ok") throw new Error(`The proof of entry ${leaf} is found ${verdict}.`);
    bytes = Math.max(bytes, file.length);
  }
  return { bytes, checks: checks.toSorted((a, b) => a - b) } satisfies Measured;
}

function report(what: string, { bytes, checks }: Measured): boolean {
  const at = (part: number) => (checks[Math.floor(part * (checks.length - 1))] ?? 0).toFixed(2);
  const isFast = Number(at(0.99)) < CHECK_MAX_MS;
  console.log(
    `${what}: at most ${bytes} bytes; checked in ${at(0.5)} ms (median), ${at(0.99)} ms (99%), ${at(1)} ms (slowest)`,
  );
  return bytes < BYTES_MAX && isFast;
}

async function main(): Promise<void> {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const material = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  const key: NoteKey = { name: ORIGIN, type: ED25519, material };
  const files = writeLog(key, privateKey);
  const checkpoint = files.get(CHECKPOINT_PATH) ?? Buffer.alloc(0);
  const vkey = encodeVerifierKey(key);
  const state = { latest: async () => undefined, replace: async () => true };
  const witnesses = [newWitnessKey("witness.example/w1"), newWitnessKey("witness.example/w2")];
  const lines: string[] = [];
  for (const { pem } of witnesses) {
    const body = submissionBody(0, [], checkpoint);
    lines.push((await addCheckpoint(body, state, [parseVerifierKey(vkey)], cosignerOf(pem), AT)).body);
  }
  const cosigned = Buffer.concat([checkpoint, Buffer.from(lines.join(""))]);
  const vkeys = witnesses.map((witness) => witness.vkey);
  const size = ENTRIES.toLocaleString("en");
  const good = [
    report(`Proof in a log of ${size} entries`, await measure(files, checkpoint, [vkey], [])),
    report("  with the cosignatures of two witnesses", await measure(files, cosigned, [vkey], vkeys)),
  ];
  console.log(`Bounds: less than ${BYTES_MAX} bytes, checked in less than ${CHECK_MAX_MS} ms.`);
  if (good.includes(false)) process.exitCode = 1;
}

void main();
