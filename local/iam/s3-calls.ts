/** What AWS authorises for a call of S3. Names of operations are in the method and the query, so they are listed here. */

import type { ApiCall } from "./api-call";
import type { Authorisation } from "./authorisation";
import { objectKeyUses } from "./key-uses";
import { question, type RequestingCaller } from "./requests";

/** What a bucket's configuration is called in the query, and in the names of the actions that read and write it. */
const BUCKET_SETTINGS: Readonly<Record<string, string>> = {
  accelerate: "AccelerateConfiguration",
  acl: "BucketAcl",
  cors: "BucketCORS",
  encryption: "EncryptionConfiguration",
  lifecycle: "LifecycleConfiguration",
  location: "BucketLocation",
  logging: "BucketLogging",
  notification: "BucketNotification",
  "object-lock": "BucketObjectLockConfiguration",
  ownershipControls: "BucketOwnershipControls",
  policy: "BucketPolicy",
  policyStatus: "BucketPolicyStatus",
  publicAccessBlock: "BucketPublicAccessBlock",
  replication: "ReplicationConfiguration",
  requestPayment: "BucketRequestPayment",
  tagging: "BucketTagging",
  versioning: "BucketVersioning",
  website: "BucketWebsite",
};
const OBJECT_SETTINGS: Readonly<Record<string, string>> = {
  acl: "ObjectAcl",
  "legal-hold": "ObjectLegalHold",
  retention: "ObjectRetention",
  tagging: "ObjectTagging",
};
/** The only settings whose removal has a separate permission; removing another one needs the permission to write it. */
const DELETED_BY_NAME: Readonly<Record<string, string>> = {
  policy: "DeleteBucketPolicy",
  website: "DeleteBucketWebsite",
};

/** Request headers that bucket policies see. */
const HEADER_KEYS = ["x-amz-acl", "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id"];
const CUSTOMER_KEY = "x-amz-server-side-encryption-customer-algorithm";

export function s3Authorisations(call: ApiCall, asking: RequestingCaller): Authorisation[] {
  const [, bucket = "", ...rest] = call.path.split("/");
  const key = decodeURIComponent(rest.join("/"));
  if (bucket === "") return [question("s3:ListAllMyBuckets", "*", asking)];
  const bucketArn = `arn:aws:s3:::${bucket}`;
  if (key === "") return bucketCall(call, bucketArn, asking);
  return objectCall(call, `${bucketArn}/${key}`, asking);
}

/**
 * S3 tells only those who may list the bucket that an object is absent. To others it answers that reading is forbidden.
 * Nothing is asked about what a bucket itself lacks, such as a policy.
 */
export function absenceQuestions({ method, path }: ApiCall, asking: RequestingCaller): Authorisation[] {
  const [, bucket = "", key = ""] = path.split("/");
  if (key === "" || (method !== "GET" && method !== "HEAD")) return [];
  const listing = question("s3:ListBucket", `arn:aws:s3:::${bucket}`, asking);
  return [{ ...listing, because: "S3 tells that the object is absent" }];
}

function bucketCall(call: ApiCall, bucketArn: string, asking: RequestingCaller): Authorisation[] {
  const { method, query } = call;
  const setting = Object.keys(BUCKET_SETTINGS).find((name) => query.has(name));
  if (setting !== undefined) {
    return [question(`s3:${settingAction(method, setting, BUCKET_SETTINGS[setting] ?? "")}`, bucketArn, asking)];
  }
  if (method === "POST" && query.has("delete")) {
    return deletedObjects(call.body).map(({ key, isVersion }) =>
      question(isVersion ? "s3:DeleteObjectVersion" : "s3:DeleteObject", `${bucketArn}/${key}`, asking),
    );
  }
  if (method === "PUT") return [question("s3:CreateBucket", bucketArn, asking)];
  if (method === "DELETE") return [question("s3:DeleteBucket", bucketArn, asking)];
  const prefix = query.get("prefix");
  const listed = query.has("versions")
    ? "ListBucketVersions"
    : query.has("uploads")
      ? "ListBucketMultipartUploads"
      : "ListBucket";
  return [question(`s3:${listed}`, bucketArn, asking, prefix === null ? {} : { "s3:prefix": prefix })];
}

function settingAction(method: string, setting: string, name: string): string {
  if (method === "GET" || method === "HEAD") return `Get${name}`;
  return method === "DELETE" ? (DELETED_BY_NAME[setting] ?? `Put${name}`) : `Put${name}`;
}

function objectCall(call: ApiCall, objectArn: string, asking: RequestingCaller): Authorisation[] {
  const { method, query } = call;
  const versioned = (action: string) => (query.has("versionId") ? `${action}Version` : action);
  const setting = Object.keys(OBJECT_SETTINGS).find((name) => query.has(name));
  if (setting !== undefined) {
    const action = settingAction(method, setting, OBJECT_SETTINGS[setting] ?? "");
    return [question(`s3:${action}`, objectArn, asking), ...bypass(call, objectArn, asking)];
  }
  if (query.has("uploadId") && method === "GET") return [question("s3:ListMultipartUploadParts", objectArn, asking)];
  if (query.has("uploadId") && method === "DELETE") return [question("s3:AbortMultipartUpload", objectArn, asking)];
  switch (method) {
    case "GET":
    case "HEAD":
      return [question(`s3:${versioned("GetObject")}`, objectArn, asking), ...decryption(objectArn, asking)];
    case "DELETE":
      return [question(`s3:${versioned("DeleteObject")}`, objectArn, asking), ...bypass(call, objectArn, asking)];
    default:
      return putCall(call, objectArn, asking);
  }
}

function putCall({ headers, query }: ApiCall, objectArn: string, asking: RequestingCaller): Authorisation[] {
  const { policies, caller } = asking;
  const named = headers["x-amz-server-side-encryption-aws-kms-key-id"];
  const keyArn = named === undefined ? undefined : policies.keyArn(named);
  const context: Record<string, string> = {};
  for (const name of [...HEADER_KEYS, CUSTOMER_KEY])
    if (headers[name] !== undefined) context[`s3:${name}`] = headers[name];
  if (keyArn !== undefined) context["s3:x-amz-server-side-encryption-aws-kms-key-id"] = keyArn;
  for (const name of ["if-match", "if-none-match"])
    if (headers[name] !== undefined) context[`s3:${name}`] = headers[name];
  const source = headers["x-amz-copy-source"];
  const keyActions =
    query.has("uploadId") || query.has("uploads") ? ["kms:GenerateDataKey", "kms:Decrypt"] : ["kms:GenerateDataKey"];
  return [
    question("s3:PutObject", objectArn, asking, context),
    // A put under If-Match tells whether the object is the one that the caller knows.
    ...(headers["if-match"] === undefined ? [] : [question("s3:GetObject", objectArn, asking)]),
    ...(source === undefined ? [] : copied(source, asking)),
    ...objectKeyUses(
      policies,
      { caller: caller.principal, arn: objectArn, because: "S3 encrypts the object", actions: keyActions },
      keyArn,
    ),
  ];
}

function decryption(arn: string, { policies, caller }: RequestingCaller): Authorisation[] {
  const because = "S3 decrypts the object";
  return objectKeyUses(policies, { caller: caller.principal, arn, because, actions: ["kms:Decrypt"] });
}

function copied(source: string, asking: RequestingCaller): Authorisation[] {
  const [path = "", version] = decodeURIComponent(source).replace(/^\//, "").split("?versionId=");
  const arn = `arn:aws:s3:::${path}`;
  return [
    question(version === undefined ? "s3:GetObject" : "s3:GetObjectVersion", arn, asking),
    ...decryption(arn, asking),
  ];
}

function bypass({ headers }: ApiCall, objectArn: string, asking: RequestingCaller): Authorisation[] {
  const asks = headers["x-amz-bypass-governance-retention"]?.toLowerCase() === "true";
  return asks ? [question("s3:BypassGovernanceRetention", objectArn, asking)] : [];
}

function deletedObjects(body: Buffer): { key: string; isVersion: boolean }[] {
  return [...body.toString("utf8").matchAll(/<Object>([\s\S]*?)<\/Object>/g)].map(([, object = ""]) => ({
    key: plainText(/<Key>([\s\S]*?)<\/Key>/.exec(object)?.[1] ?? ""),
    isVersion: object.includes("<VersionId>"),
  }));
}

function plainText(xml: string): string {
  const characters: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };
  return xml.replace(/&(lt|gt|amp|quot|apos);/g, (whole, name: string) => characters[name] ?? whole);
}
