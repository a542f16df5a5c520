/** A trail of one day in memory, for tests of who called. */

import type { TrailFolder } from "../../../evidence/identity/trail-day";
import { type StoredTrailFile, type TrailOfFiles, trailFiles, trailSigningKey } from "../../../local/trail-files";

export const DAY = "2026-11-27";
export const TRAIL: TrailOfFiles = {
  bucket: "trail-bucket",
  accountId: "111122223333",
  region: "us-east-1",
  trailName: "payment-trail",
  key: trailSigningKey(),
};

/** A role's session that claims to be somebody else, as CloudTrail's files are made with it. */
export const MALLORY = {
  roleId: "AROAMALLORY",
  roleName: "reporting",
  session: "m1",
  accountId: TRAIL.accountId,
  sourceIdentity: "mallory",
};
/** How an attestation names her. */
export const MALLORYS = {
  principalId: "AROAMALLORY:m1",
  principalArn: "arn:aws:sts::111122223333:assumed-role/reporting/m1",
  sourceIdentity: "mallory",
};

export function functionArn(name: string): string {
  return `arn:aws:lambda:us-east-1:111122223333:function:${name}`;
}

/** The files of the day and of the hours around it that belong to it. */
export function filesOfDay(events: readonly { readonly eventTime: string }[], day = DAY): Map<string, StoredTrailFile> {
  const start = Date.parse(`${day}T00:00:00Z`);
  const hours = (count: number) => new Date(start + count * 3_600_000);
  return trailFiles(TRAIL, hours(-2), hours(26), events);
}

export function folderOf(files: ReadonlyMap<string, StoredTrailFile>, trail: TrailOfFiles = TRAIL): TrailFolder {
  return {
    bucket: trail.bucket,
    digestKeys: async (day) =>
      [...files.keys()].filter((key) => key.includes("CloudTrail-Digest") && key.includes(day.replaceAll("-", "/"))),
    read: async (key) => files.get(key),
    publicKeys: async () => [{ fingerprint: trail.key.fingerprint, value: trail.key.value }],
  };
}
