/**
 * A sweep in pieces: for tables that one function cannot read in its time. A state machine calls the function of the sweep to merge, then once for
 * each piece that is left, and so on until the merging has a report. What the calls share lies in the export bucket.
 */

import { createHmac } from "node:crypto";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { objectAt } from "../../backup/s3-folder";
import { PIECES_PREFIX } from "../../contract";
import { equalMac, type MacKeys } from "../../ledger/rules/record-mac";
import { asOfHead, type EvidenceFolder, storedHead } from "../verifier/evidence";
import type { PieceStore } from "../verifier/pieces";
import { LogCheckError } from "./errors";
import type { VerifiedCheckpoint } from "./verification";

export interface PiecesPlace {
  readonly s3: S3Client;
  readonly bucket: string;
  readonly keyArn: string;
}

/**
 * The objects of one run. Each bears a MAC under the ledger's key over its name and its bytes: results decide the verdict, so
 * what anybody else has put there is refused.
 * @param run the name of the run: letters, digits, `-` and `_`.
 */
export function sealedStore(
  { s3, bucket, keyArn }: PiecesPlace,
  run: string,
  macKeys: () => Promise<MacKeys>,
): PieceStore {
  const macOf = async (key: string, bytes: Buffer) => {
    const { secret } = (await macKeys()).record;
    return createHmac("sha256", secret).update(`payment-ledger/sweep-piece/1\n${key}\n`).update(bytes).digest("hex");
  };
  const keyOf = (name: string) => `${PIECES_PREFIX}${run}/${name}`;
  return {
    read: async (name) => {
      const key = keyOf(name);
      const object = await objectAt(s3, bucket, key);
      if (object === undefined) return undefined;
      const stored = Buffer.from(await object.Body.transformToByteArray());
      const [mac, bytes] = [stored.subarray(0, MAC_CHARACTERS).toString("latin1"), stored.subarray(MAC_CHARACTERS)];
      if (equalMac(mac, await macOf(key, bytes))) return bytes;
      throw new LogCheckError(
        "PIECE_FORGED",
        `The sweep did not write the object ${key}, or it was changed. Results of pieces decide the verdict, so the sweep ends. Find out who wrote it.`,
      );
    },
    write: async (name, bytes) => {
      const key = keyOf(name);
      const Body = Buffer.concat([Buffer.from(await macOf(key, bytes), "latin1"), bytes]);
      await s3.send(
        new PutObjectCommand({ Bucket: bucket, Key: key, Body, ServerSideEncryption: "aws:kms", SSEKMSKeyId: keyArn }),
      );
    },
  };
}

/** Of a SHA-256 in hexadecimal digits. */
const MAC_CHARACTERS = 64;
const RUN = "run.json";

/** What all calls of one run go by: the moment at which it began, and the log as it was then. */
export interface SweepRun {
  readonly now: Date;
  readonly seen: VerifiedCheckpoint | undefined;
  readonly evidence: EvidenceFolder;
}

interface StoredRun {
  readonly now: string;
  readonly seen: VerifiedCheckpoint | null;
  readonly head: { readonly checkpoint: string | null; readonly larger: readonly string[] };
}

/** The run in the store, or a new one in an empty store. */
export async function sweepRun(
  store: PieceStore,
  evidence: EvidenceFolder,
  begin: { readonly now: Date; readonly seen: () => Promise<VerifiedCheckpoint | undefined> },
): Promise<SweepRun> {
  const stored = await storedRun(store, evidence);
  if (stored !== undefined) return stored;
  const seen = await begin.seen();
  const { checkpoint, larger } = await storedHead(evidence);
  const run: StoredRun = {
    now: begin.now.toISOString(),
    seen: seen ?? null,
    head: { checkpoint: checkpoint?.toString("base64") ?? null, larger },
  };
  await store.write(RUN, Buffer.from(JSON.stringify(run)));
  return runOf(run, evidence);
}

/** @throws LogCheckError for a run that nothing has begun. */
export async function begunRun(store: PieceStore, evidence: EvidenceFolder): Promise<SweepRun> {
  const stored = await storedRun(store, evidence);
  if (stored !== undefined) return stored;
  throw new LogCheckError(
    "BAD_REQUEST",
    "No sweep in pieces of this name was begun. The state machine begins each one.",
  );
}

async function storedRun(store: PieceStore, evidence: EvidenceFolder): Promise<SweepRun | undefined> {
  const bytes = await store.read(RUN);
  return bytes && runOf(JSON.parse(bytes.toString("utf8")) as StoredRun, evidence);
}

function runOf({ now, seen, head }: StoredRun, evidence: EvidenceFolder): SweepRun {
  const checkpoint = head.checkpoint === null ? undefined : Buffer.from(head.checkpoint, "base64");
  return {
    now: new Date(now),
    seen: seen ?? undefined,
    evidence: asOfHead(evidence, { checkpoint, larger: head.larger }),
  };
}

/** A part of a run: the verification of the tables as of one moment. */
export function partOf(store: PieceStore, takenAt: string): PieceStore {
  const nameOf = (name: string) => `${takenAt}/${name}`;
  return { read: (name) => store.read(nameOf(name)), write: (name, bytes) => store.write(nameOf(name), bytes) };
}
