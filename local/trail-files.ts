/**
 * Files of a trail as CloudTrail delivers them: gzipped log files, and each hour a signed digest that names them and the digest
 * before it. The embedded AWS writes none. They are signed by a key of the caller's; no product code knows of this.
 */

import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";

export interface StoredTrailFile {
  readonly bytes: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface SigningKey {
  readonly privateKey: KeyObject;
  /** As `ListPublicKeys` gives it: fingerprint and PKCS#1 in DER. */
  readonly fingerprint: string;
  readonly value: Buffer;
}

export interface TrailOfFiles {
  readonly bucket: string;
  readonly accountId: string;
  readonly region: string;
  readonly trailName: string;
  readonly key: SigningKey;
}

const HOUR_MS = 60 * 60 * 1000;

export function trailSigningKey(): SigningKey {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const value = createPublicKey(privateKey).export({ type: "pkcs1", format: "der" });
  return { privateKey, value, fingerprint: createHash("md5").update(value).digest("hex") };
}

/**
 * The files of every hour from `from` to `to`, by key. An event is in the hour of its `eventTime`; an hour without events has
 * a digest without log files.
 */
export function trailFiles(
  trail: TrailOfFiles,
  from: Date,
  to: Date,
  events: readonly { readonly eventTime: string }[],
): Map<string, StoredTrailFile> {
  const files = new Map<string, StoredTrailFile>();
  let previous: { readonly key: string; readonly file: StoredTrailFile } | undefined;
  for (let start = from.getTime(); start < to.getTime(); start += HOUR_MS) {
    const end = start + HOUR_MS;
    const ofHour = events.filter(({ eventTime }) => Date.parse(eventTime) >= start && Date.parse(eventTime) < end);
    const logs = ofHour.length === 0 ? [] : [logFile(trail, end, ofHour)];
    for (const { key, bytes } of logs) files.set(key, { bytes, metadata: {} });
    previous = signedDigest(trail, start, end, logs, previous);
    files.set(previous.key, previous.file);
  }
  return files;
}

function logFile({ accountId, region }: TrailOfFiles, end: number, records: readonly object[]) {
  const folder = `AWSLogs/${accountId}/CloudTrail/${region}/${slashed(end)}`;
  const key = `${folder}/${accountId}_CloudTrail_${region}_${stamp(end).slice(0, 13)}Z_example.json.gz`;
  const content = Buffer.from(JSON.stringify({ Records: records }));
  return { key, bytes: gzipSync(content), hash: sha256(content) };
}

function signedDigest(
  trail: TrailOfFiles,
  start: number,
  end: number,
  logs: readonly { readonly key: string; readonly hash: string }[],
  previous: { readonly key: string; readonly file: StoredTrailFile } | undefined,
) {
  const { accountId, region, trailName, bucket, key: signing } = trail;
  const folder = `AWSLogs/${accountId}/CloudTrail-Digest/${region}/${slashed(end)}`;
  const key = `${folder}/${accountId}_CloudTrail-Digest_${region}_${trailName}_${region}_${stamp(end)}.json.gz`;
  const previousSignature = previous?.file.metadata["signature"] ?? null;
  const content = Buffer.from(
    JSON.stringify({
      awsAccountId: accountId,
      digestStartTime: seconds(start),
      digestEndTime: seconds(end),
      digestS3Bucket: bucket,
      digestS3Object: key,
      digestPublicKeyFingerprint: signing.fingerprint,
      digestSignatureAlgorithm: "SHA256withRSA",
      previousDigestS3Bucket: previous === undefined ? null : bucket,
      previousDigestS3Object: previous?.key ?? null,
      previousDigestHashValue: previous === undefined ? null : sha256(gunzipSync(previous.file.bytes)),
      previousDigestHashAlgorithm: previous === undefined ? null : "SHA-256",
      previousDigestSignature: previousSignature,
      logFiles: logs.map(({ key: s3Object, hash: hashValue }) => ({
        s3Bucket: bucket,
        s3Object,
        hashValue,
        hashAlgorithm: "SHA-256",
      })),
    }),
  );
  const signed = [seconds(end), `${bucket}/${key}`, sha256(content), previousSignature ?? "null"].join("\n");
  const signature = sign("sha256", Buffer.from(signed), signing.privateKey).toString("hex");
  return { key, file: { bytes: gzipSync(content), metadata: { signature, "signature-algorithm": "SHA256withRSA" } } };
}

// --------------------------------------------------------------------------------------------------------------- events

export interface EventOfCall {
  readonly requestId: string;
  readonly time: string;
  readonly functionArn: string;
  readonly sourceAddress?: string;
  readonly vpcEndpoint?: string;
}

export interface RoleSession {
  readonly roleId: string;
  readonly roleName: string;
  readonly session: string;
  readonly accountId: string;
  readonly sourceIdentity?: string;
}

/** An `Invoke` in the name of a role's session. */
export function invokedByRole(call: EventOfCall, session: RoleSession) {
  return invokeEvent(call, roleIdentity(session));
}

/** An `Invoke` by an AWS service itself, as a queue or a bucket causes it. */
export function invokedByService(call: EventOfCall, service: string) {
  return invokeEvent({ ...call, sourceAddress: service }, { type: "AWSService", invokedBy: service });
}

/** Any other call of a role's session, by which the trail knows its principal id. */
export function assumedRole(session: RoleSession, time: string) {
  return {
    ...shared(time),
    eventSource: "s3.amazonaws.com",
    eventName: "PutObject",
    userIdentity: roleIdentity(session),
  };
}

/** The call of STS that began a role's session. */
export function begunSession({ roleId, roleName, session, accountId, sourceIdentity }: RoleSession, time: string) {
  return {
    ...shared(time),
    eventSource: "sts.amazonaws.com",
    eventName: "AssumeRole",
    userIdentity: { type: "IAMUser", principalId: "AIDAEXAMPLEUSER", arn: `arn:aws:iam::${accountId}:user/example` },
    requestParameters: {
      roleArn: `arn:aws:iam::${accountId}:role/${roleName}`,
      roleSessionName: session,
      ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
    },
    responseElements: {
      assumedRoleUser: {
        assumedRoleId: `${roleId}:${session}`,
        arn: `arn:aws:sts::${accountId}:assumed-role/${roleName}/${session}`,
      },
    },
  };
}

function invokeEvent(call: EventOfCall, userIdentity: object) {
  const { requestId, time, functionArn, sourceAddress = "10.0.1.17", vpcEndpoint } = call;
  return {
    ...shared(time),
    eventSource: "lambda.amazonaws.com",
    eventName: "Invoke",
    userIdentity,
    sourceIPAddress: sourceAddress,
    ...(vpcEndpoint === undefined ? {} : { vpcEndpointId: vpcEndpoint }),
    requestID: requestId,
    requestParameters: null,
    responseElements: null,
    resources: [{ type: "AWS::Lambda::Function", ARN: functionArn }],
    managementEvent: false,
    eventCategory: "Data",
  };
}

function shared(time: string) {
  return { eventVersion: "1.11", eventTime: time, eventType: "AwsApiCall" };
}

function roleIdentity({ roleId, roleName, session, accountId, sourceIdentity }: RoleSession) {
  return {
    type: "AssumedRole",
    principalId: `${roleId}:${session}`,
    arn: `arn:aws:sts::${accountId}:assumed-role/${roleName}/${session}`,
    accountId,
    sessionContext: {
      sessionIssuer: { type: "Role", principalId: roleId, userName: roleName },
      ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------- times

function seconds(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}

/** `20261127T140000Z`. */
function stamp(time: number): string {
  return seconds(time).replaceAll(/[-:]/g, "");
}

function slashed(time: number): string {
  return seconds(time).slice(0, 10).replaceAll("-", "/");
}

function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
