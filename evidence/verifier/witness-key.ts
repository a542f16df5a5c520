/** A witness's own key: an Ed25519 private key in PEM, behind a line that says its verifier key, and so its name. */

import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { CodedError } from "../../contract";
import { keyIdOf, NoteError, parseVerifierKey, type VerifierKey } from "../log/note";
import type { Cosigner } from "./witness";

const COSIGNATURE_TYPE = 4;
const VKEY_LINE = /^Verifier key: (\S+)$/m;
const ED25519_BYTES = 32;

export class WitnessKeyError extends CodedError<"BAD_WITNESS_KEY"> {
  override readonly name = "WitnessKeyError";

  constructor(message: string) {
    super("BAD_WITNESS_KEY", message);
  }
}

export interface NewWitnessKey {
  readonly vkey: string;
  /** To be kept where nobody but the witness reads it. */
  readonly pem: string;
}

/** @throws WitnessKeyError for a name that no note can carry. */
export function newWitnessKey(name: string): NewWitnessKey {
  const { privateKey } = generateKeyPairSync("ed25519");
  const vkey = vkeyOf(name, privateKey);
  try {
    parseVerifierKey(vkey);
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    throw new WitnessKeyError(
      `A name has no spaces and no plus sign, and is not empty. Take one like a URL without its scheme: witness.example/w1.`,
    );
  }
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { vkey, pem: `Verifier key: ${vkey}\n${pem}` };
}

function vkeyOf(name: string, key: KeyObject): string {
  const { x = "" } = key.export({ format: "jwk" });
  const material = Buffer.concat([Buffer.from([COSIGNATURE_TYPE]), Buffer.from(x, "base64url")]);
  return `${name}+${keyIdOf(name, material)}+${material.toString("base64")}`;
}

/** @throws WitnessKeyError for a file that `newWitnessKey` did not make, or that was changed since. */
export function cosignerOf(pem: string): Cosigner {
  const privateKey = privateKeyIn(pem);
  const key = verifierKeyIn(pem);
  if (privateKey === undefined || key === undefined || vkeyOf(key.name, privateKey) !== key.vkey) {
    throw new WitnessKeyError(
      "It is no key of a witness: an Ed25519 private key in PEM behind the line `Verifier key: ...` that belongs to it. " +
        "Make one with `witness new-key`.",
    );
  }
  return { key, sign: (message) => sign(null, message, privateKey) };
}

function privateKeyIn(pem: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(pem.slice(Math.max(pem.indexOf("-----BEGIN"), 0)));
    const { x = "" } = key.export({ format: "jwk" });
    const isEd25519 = key.asymmetricKeyType === "ed25519" && Buffer.from(x, "base64url").length === ED25519_BYTES;
    return isEd25519 ? key : undefined;
  } catch {
    return undefined;
  }
}

function verifierKeyIn(pem: string): VerifierKey | undefined {
  try {
    const key = parseVerifierKey(VKEY_LINE.exec(pem)?.[1] ?? "");
    return key.type === "cosignature" ? key : undefined;
  } catch {
    return undefined;
  }
}
