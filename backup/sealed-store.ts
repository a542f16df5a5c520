/** What the pieces of a check and its merging share: objects in the export bucket, each with a MAC of the ledger. */

import { createHmac } from "node:crypto";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { PieceError, type PieceStore } from "../ledger/pieces/plan";
import { equalMac, type MacKeys } from "../ledger/rules/record-mac";
import { backOff } from "../ledger/store/transaction";
import type { PiecesSetting } from "./piece-requests";
import { objectAt } from "./s3-folder";
import { isConflict } from "./versioned-object";

/** Of a SHA-256 in hexadecimal digits. */
const MAC_CHARACTERS = 64;
/** While another conditional write of the object is under way, S3 refuses one and has no object yet. */
const CREATE_ATTEMPTS_MAX = 5;

/**
 * The objects of one run. Each has a MAC under the ledger's key over its name and its bytes: results decide the verdict, so
 * what anybody else has put there is refused.
 * @param run the name of the run: letters, digits, `-` and `_`.
 */
export function sealedStore(
  { s3, bucket, keyArn, prefix }: PiecesSetting,
  run: string,
  macKeys: () => Promise<MacKeys>,
): PieceStore {
  const macOf = async (key: string, bytes: Buffer) => {
    const { secret } = (await macKeys()).record;
    return createHmac("sha256", secret).update(`payment-ledger/check-piece/1\n${key}\n`).update(bytes).digest("hex");
  };
  const keyOf = (name: string) => `${prefix}${run}/${name}`;
  const put = async (name: string, bytes: Buffer, condition: { readonly IfNoneMatch?: "*" } = {}) => {
    const key = keyOf(name);
    const Body = Buffer.concat([Buffer.from(await macOf(key, bytes), "latin1"), bytes]);
    const object = { Bucket: bucket, Key: key, Body, ServerSideEncryption: "aws:kms", SSEKMSKeyId: keyArn } as const;
    await s3.send(new PutObjectCommand({ ...object, ...condition }));
  };
  const store: PieceStore = {
    read: async (name) => {
      const key = keyOf(name);
      const object = await objectAt(s3, bucket, key);
      if (object === undefined) return undefined;
      const stored = Buffer.from(await object.Body.transformToByteArray());
      const [mac, bytes] = [stored.subarray(0, MAC_CHARACTERS).toString("latin1"), stored.subarray(MAC_CHARACTERS)];
      if (equalMac(mac, await macOf(key, bytes))) return bytes;
      throw new PieceError(
        "PIECE_FORGED",
        `The check did not write the object ${key}, or it was changed. Results of pieces decide the verdict, so the check ends. Find out who wrote it.`,
      );
    },
    write: (name, bytes) => put(name, bytes),
    create: async (name, bytes) => {
      for (let attempt = 1; attempt <= CREATE_ATTEMPTS_MAX; attempt++) {
        try {
          await put(name, bytes, { IfNoneMatch: "*" });
          return bytes;
        } catch (error) {
          if (!isConflict(error)) throw error;
        }
        const kept = await store.read(name);
        if (kept !== undefined) return kept;
        await backOff(attempt);
      }
      throw new Error("S3 refused to create an object again and again, and no such object exists.");
    },
  };
  return store;
}
