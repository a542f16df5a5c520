/** The KMS keys that sign checkpoints: one, or two while one replaces the other. Private keys never leave KMS. */

import {
  GetPublicKeyCommand,
  type KeySpec,
  type KMSClient,
  SignCommand,
  type SigningAlgorithmSpec,
} from "@aws-sdk/client-kms";
import type { Checkpoint } from "../log/checkpoint";
import { checkSignatures, parseVerifierKey } from "../log/note";
import { SealingError } from "./errors";
import { ECDSA_P256, ED25519, encodeSignatureLine, encodeVerifierKey, type NoteKey, type SignatureType } from "./note";

export interface Signer {
  /** Eight hex digits. */
  readonly keyId: string;
  readonly verifierKey: string;
  /** The signature line under the text. */
  readonly sign: (text: string) => Promise<string>;
  /** True when one of the checkpoint's signatures is this key's and good. */
  readonly hasSigned: (checkpoint: Checkpoint) => boolean;
}

interface Suite {
  readonly type: SignatureType;
  readonly algorithm: SigningAlgorithmSpec;
}

/** Ed25519 is what witnesses and other tools expect; P-256 is for regions whose KMS lacks it. */
const SUITES: Partial<Readonly<Record<KeySpec, Suite>>> = {
  ECC_NIST_EDWARDS25519: { type: ED25519, algorithm: "ED25519_SHA_512" },
  ECC_NIST_P256: { type: ECDSA_P256, algorithm: "ECDSA_SHA_256" },
};
const ED25519_KEY_BYTES = 32;

/** @param name of the keys: the log's origin. The public keys are asked for once; a failed attempt is not kept. */
export function checkpointSigners(kms: KMSClient, keyArns: readonly string[], name: string): () => Promise<Signer[]> {
  let made: Promise<Signer[]> | undefined;
  return () => {
    made ??= Promise.all(keyArns.map((arn) => signerOf(kms, arn, name))).catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

async function signerOf(kms: KMSClient, keyArn: string, name: string): Promise<Signer> {
  const { PublicKey, KeySpec } = await kms.send(new GetPublicKeyCommand({ KeyId: keyArn }));
  const suite = KeySpec === undefined ? undefined : SUITES[KeySpec];
  if (PublicKey === undefined || suite === undefined) {
    throw new SealingError(
      "KEY_UNSUITABLE",
      "A key of CHECKPOINT_KEY_ARNS cannot sign checkpoints. They are signed with ECC_NIST_EDWARDS25519 or, where a " +
        "region lacks that, ECC_NIST_P256; correct the configuration and deploy again.",
    );
  }
  const spki = Buffer.from(PublicKey);
  const key: NoteKey = {
    name,
    type: suite.type,
    material: suite.type === ED25519 ? spki.subarray(-ED25519_KEY_BYTES) : spki,
  };
  const vkey = encodeVerifierKey(key);
  const trusted = parseVerifierKey(vkey);
  return {
    keyId: trusted.keyId,
    verifierKey: vkey,
    sign: async (text) => {
      const { Signature } = await kms.send(
        new SignCommand({
          KeyId: keyArn,
          Message: Buffer.from(text),
          MessageType: "RAW",
          SigningAlgorithm: suite.algorithm,
        }),
      );
      if (Signature === undefined) throw new Error("KMS answered Sign without a signature.");
      return encodeSignatureLine(key, Signature);
    },
    hasSigned: ({ note }) => checkSignatures(note, [trusted]).good.length > 0,
  };
}
