/**
 * CloudTrail's digest files: one an hour and region, signed, each naming the one before and the hash of every log file of its
 * hour. Checked as AWS documents it: RSA with SHA-256 over end time, place, hash and the signature of the digest before.
 */

import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { CodedError } from "../../contract";
import { isGzipDamage } from "../../ledger/rules/gzip-damage";

/** An object of the trail's bucket. */
export interface TrailObject {
  /** As stored: gzip. */
  readonly bytes: Buffer;
  /** User metadata of the object; a digest has its signature there. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** A public key of CloudTrail, as `ListPublicKeys` gives it. */
export interface TrailKey {
  readonly fingerprint: string;
  /** PKCS#1 in DER. */
  readonly value: Buffer;
}

export interface NamedLogFile {
  readonly key: string;
  /** Hexadecimal SHA-256 of the file's uncompressed content. */
  readonly hash: string;
}

export interface TrailDigest {
  readonly key: string;
  readonly startTime: number;
  readonly endTime: number;
  readonly signature: string;
  /** Hexadecimal SHA-256 of the uncompressed digest. */
  readonly hash: string;
  /** Absent in the first digest of a trail. */
  readonly previous?: { readonly key: string; readonly hash: string; readonly signature: string };
  readonly logFiles: readonly NamedLogFile[];
}

/** A file of the trail is not what CloudTrail delivered, or cannot be read. */
export class TrailFileError extends CodedError<"TRAIL_FILE_ALTERED" | "TRAIL_FILE_MISSING" | "TRAIL_KEY_UNKNOWN"> {
  override readonly name = "TrailFileError";
}

/** No digest and no log file of CloudTrail is near this size; a small file cannot fill the memory. */
const UNCOMPRESSED_BYTES_MAX = 256 * 1024 * 1024;

/** The signed digest in an object. @throws TrailFileError */
export function readTrailDigest(
  bucket: string,
  key: string,
  { bytes, metadata }: TrailObject,
  keys: ReadonlyMap<string, KeyObject>,
): TrailDigest {
  const content = uncompressed(key, bytes);
  const digest = parsedDigest(key, content);
  if (text(digest, "digestS3Bucket") !== bucket || text(digest, "digestS3Object") !== key)
    throw altered(key, "It says that it was delivered to another place.");
  const publicKey = keys.get(text(digest, "digestPublicKeyFingerprint") ?? "");
  if (publicKey === undefined) {
    throw new TrailFileError("TRAIL_KEY_UNKNOWN", `${key}: CloudTrail lists no public key with its fingerprint.`);
  }
  const signature = metadata["signature"] ?? "";
  const hash = sha256(content);
  const previousSignature = text(digest, "previousDigestSignature");
  const signed = [text(digest, "digestEndTime"), `${bucket}/${key}`, hash, previousSignature ?? "null"].join("\n");
  const isHex = /^([0-9a-f]{2})+$/.test(signature);
  if (!isHex || !verify("sha256", Buffer.from(signed), publicKey, Buffer.from(signature, "hex")))
    throw altered(key, "CloudTrail did not sign it as it is.");
  return {
    key,
    ...times(key, digest),
    signature,
    hash,
    ...previousOf(key, digest),
    logFiles: logFilesOf(key, bucket, digest),
  };
}

/** Keys by their fingerprints. */
export function trailKeys(keys: readonly TrailKey[]): ReadonlyMap<string, KeyObject> {
  return new Map(
    keys.map(({ fingerprint, value }) => [fingerprint, createPublicKey({ key: value, format: "der", type: "pkcs1" })]),
  );
}

/** The content of a log file that a signed digest names. @throws TrailFileError */
export function readLogFile({ key, hash }: NamedLogFile, object: TrailObject | undefined): string {
  if (object === undefined)
    throw new TrailFileError("TRAIL_FILE_MISSING", `${key}: A digest names it, and it is not there.`);
  const content = uncompressed(key, object.bytes);
  if (sha256(content) !== hash) throw altered(key, "It is not the file that its digest names.");
  return content.toString("utf8");
}

function uncompressed(key: string, bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: UNCOMPRESSED_BYTES_MAX });
  } catch (error) {
    throw isGzipDamage(error) ? altered(key, "It is no whole gzip file.") : error;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function parsedDigest(key: string, content: Buffer): Fields {
  const parsed = parsedJson(content);
  if (typeof parsed === "object" && parsed !== null) return parsed as Fields;
  throw altered(key, "It is no JSON object.");
}

function parsedJson(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString("utf8"));
  } catch {
    return undefined;
  }
}

function times(key: string, digest: Fields): { startTime: number; endTime: number } {
  const startTime = Date.parse(text(digest, "digestStartTime") ?? "");
  const endTime = Date.parse(text(digest, "digestEndTime") ?? "");
  if (startTime < endTime) return { startTime, endTime };
  throw altered(key, "It does not say which time it covers.");
}

function previousOf(key: string, digest: Fields): Pick<TrailDigest, "previous"> {
  const previous = text(digest, "previousDigestS3Object");
  if (previous === undefined) return {};
  const [hash, signature] = [text(digest, "previousDigestHashValue"), text(digest, "previousDigestSignature")];
  if (hash === undefined || signature === undefined)
    throw altered(key, "It names a digest before it without its hash.");
  return { previous: { key: previous, hash, signature } };
}

function logFilesOf(key: string, bucket: string, digest: Fields): NamedLogFile[] {
  const files = digest["logFiles"];
  if (!Array.isArray(files)) throw altered(key, "It has no list of log files.");
  return files.map((file: Fields) => {
    const [object, hash] = [text(file, "s3Object"), text(file, "hashValue")];
    if (text(file, "s3Bucket") === bucket && text(file, "hashAlgorithm") === "SHA-256" && object && hash)
      return { key: object, hash };
    throw altered(key, "A log file in its list has no place or no SHA-256 hash in this bucket.");
  });
}

function text(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === "string" ? value : undefined;
}

function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

function altered(key: string, reason: string): TrailFileError {
  return new TrailFileError("TRAIL_FILE_ALTERED", `${key}: ${reason}`);
}
