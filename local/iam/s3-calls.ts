/** What AWS authorises for a call of S3. Names of operations are in the method and the query, so they are listed here. */

import type { ApiCall } from "./api-call";
import type { Authorisation } from "./authorisation";
import { objectKeyUses } from "./key-uses";
import { authorisationOf, type RequestingCaller } from "./requests";

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

export function s3Authorisations(call: ApiCall, requester: RequestingCaller): Authorisation[] {
  const [, bucket = "", ...rest] = call.path.split("/");
  const key = decodeURIComponent(rest.join("/"));
  if (bucket === "") return [authorisationOf("s3:ListAllMyBuckets", "*", requester)];
  const bucketArn = `arn:aws:s3:::${bucket}`;
  if (key === "") return bucketCall(call, bucketArn, requester);
  return objectCall(call, `${bucketArn}/${key}`, requester);
}

/**
 * S3 tells only those who may list the bucket that an object is absent. To others it answers that reading is forbidden.
 * Nothing is asked about what a bucket itself lacks, such as a policy.
 */
export function absenceQuestions({ method, path }: ApiCall, requester: RequestingCaller): Authorisation[] {
  const [, bucket = "", key = ""] = path.split("/");
  if (key === "" || (method !== "GET" && method !== "HEAD")) return [];
  const listing = authorisationOf("s3:ListBucket", `arn:aws:s3:::${bucket}`, requester);
  return [{ ...listing, because: "S3 tells that the object is absent" }];
}

function bucketCall(call: ApiCall, bucketArn: string, requester: RequestingCaller): Authorisation[] {
  const { method, query } = call;
  const setting = Object.keys(BUCKET_SETTINGS).find((name) => query.has(name));
  if (setting !== undefined) {
    return [
      authorisationOf(`s3:${settingAction(method, setting, BUCKET_SETTINGS[setting] ?? "")}`, bucketArn, requester),
    ];
  }
  if (method === "POST" && query.has("delete")) {
    return deletedObjects(call.body).map(({ key, isVersion }) =>
      authorisationOf(isVersion ? "s3:DeleteObjectVersion" : "s3:DeleteObject", `${bucketArn}/${key}`, requester),
    );
  }
  if (method === "PUT") return [authorisationOf("s3:CreateBucket", bucketArn, requester)];
  if (method === "DELETE") return [authorisationOf("s3:DeleteBucket", bucketArn, requester)];
  const prefix = query.get("prefix");
  const listed = query.has("versions")
    ? "ListBucketVersions"
    : query.has("uploads")
      ? "ListBucketMultipartUploads"
      : "ListBucket";
  return [authorisationOf(`s3:${listed}`, bucketArn, requester, prefix === null ? {} : { "s3:prefix": prefix })];
}

function settingAction(method: string, setting: string, name: string): string {
  if (method === "GET" || method === "HEAD") return `Get${name}`;
  return method === "DELETE" ? (DELETED_BY_NAME[setting] ?? `Put${name}`) : `Put${name}`;
}

function objectCall(call: ApiCall, objectArn: string, requester: RequestingCaller): Authorisation[] {
  const { method, query } = call;
  const versioned = (action: string) => (query.has("versionId") ? `${action}Version` : action);
  const setting = Object.keys(OBJECT_SETTINGS).find((name) => query.has(name));
  if (setting !== undefined) {
    const action = settingAction(method, setting, OBJECT_SETTINGS[setting] ?? "");
    return [authorisationOf(`s3:${action}`, objectArn, requester), ...bypass(call, objectArn, requester)];
  }
  if (query.has("uploadId") && method === "GET")
    return [authorisationOf("s3:ListMultipartUploadParts", objectArn, requester)];
  if (query.has("uploadId") && method === "DELETE")
    return [authorisationOf("s3:AbortMultipartUpload", objectArn, requester)];
  switch (method) {
    case "GET":
    case "HEAD":
      return [
        authorisationOf(`s3:${versioned("GetObject")}`, objectArn, requester),
        ...decryption(objectArn, requester),
      ];
    case "DELETE":
      return [
        authorisationOf(`s3:${versioned("DeleteObject")}`, objectArn, requester),
        ...bypass(call, objectArn, requester),
      ];
    default:
      return putCall(call, objectArn, requester);
  }
}

function putCall({ headers, query }: ApiCall, objectArn: string, requester: RequestingCaller): Authorisation[] {
  const { policies, caller } = requester;
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
    authorisationOf("s3:PutObject", objectArn, requester, context),
    // A put under If-Match tells whether the object is the one that the caller knows.
    ...(headers["if-match"] === undefined ? [] : [authorisationOf("s3:GetObject", objectArn, requester)]),
    ...(source === undefined ? [] : copied(source, requester)),
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

function copied(source: string, requester: RequestingCaller): Authorisation[] {
  const [path = "", version] = decodeURIComponent(source).replace(/^\//, "").split("?versionId=");
  const arn = `arn:aws:s3:::${path}`;
  return [
    authorisationOf(version === undefined ? "s3:GetObject" : "s3:GetObjectVersion", arn, requester),
    ...decryption(arn, requester),
  ];
}

function bypass({ headers }: ApiCall, objectArn: string, requester: RequestingCaller): Authorisation[] {
  const asks = headers["x-amz-bypass-governance-retention"]?.toLowerCase() === "true";
  return asks ? [authorisationOf("s3:BypassGovernanceRetention", objectArn, requester)] : [];
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
