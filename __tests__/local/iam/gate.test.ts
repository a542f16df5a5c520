/** The gate before an upstream that answers everything alike: what the callers see of its answers. */

import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import {
  GetBucketPolicyCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from "@aws-sdk/client-s3";
import { EffectivePolicies } from "../../../local/iam/effective";
import { type Gate, startGate } from "../../../local/iam/gate";

const PLACE = { account: "111122223333", region: "us-east-1" };
const ABSENT = "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>";
const OBJECT = { Bucket: "files", Key: "payments/absent.json" };

let upstream: http.Server;
let forwarded: number;
let gate: Gate;
let s3: S3Client;

beforeAll(async () => {
  upstream = http.createServer((request, response) => {
    forwarded += 1;
    response.writeHead(404, { "content-type": "application/xml" }).end(request.method === "HEAD" ? "" : ABSENT);
  });
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  gate = await startGate(`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`);
  s3 = new S3Client({
    endpoint: gate.url,
    region: PLACE.region,
    forcePathStyle: true,
    credentials: { accessKeyId: "auditor", secretAccessKey: "any" },
  });
});
afterAll(async () => {
  s3?.destroy();
  await gate?.stop();
  upstream?.close();
});

/** Lets the auditor do these, and nothing else, with every bucket and object. */
function grant(...actions: string[]): void {
  const document = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }] };
  const attributes = { arn: "arn:aws:iam::111122223333:policy/auditor", policy: JSON.stringify(document) };
  const block = {
    ...{ address: "aws_iam_policy.auditor-access", mode: "resource" as const, type: "aws_iam_policy" },
    ...{ name: "auditor-access", dependsOn: [], arguments: {} },
  };
  gate.arm(new EffectivePolicies(PLACE, [{ stack: "security", block, attributes }]));
  forwarded = 0;
}

describe("an object that does not exist", () => {
  const answers = async () =>
    Promise.all(
      [s3.send(new GetObjectCommand(OBJECT)), s3.send(new HeadObjectCommand(OBJECT))].map((sending) =>
        sending.then(
          () => 200,
          (error: { $metadata: { httpStatusCode: number } }) => error.$metadata.httpStatusCode,
        ),
      ),
    );

  test("is 404 for who may read objects and list the bucket", async () => {
    grant("s3:GetObject", "s3:ListBucket");
    expect(await answers()).toEqual([404, 404]);
    await expect(s3.send(new GetObjectCommand(OBJECT))).rejects.toMatchObject({ name: "NoSuchKey" });
    expect(forwarded).toBe(3);
  });

  test("is 403 for who may read objects but not list the bucket, and the answer names the missing permission", async () => {
    grant("s3:GetObject");
    expect(await answers()).toEqual([403, 403]);
    // Both calls were allowed and carried out: it is the absence that the caller may not learn.
    expect(forwarded).toBe(2);
    await expect(s3.send(new GetObjectCommand(OBJECT))).rejects.toMatchObject({
      name: "AccessDenied",
      message:
        "User: arn:aws:iam::111122223333:user/auditor is not authorized to perform: s3:ListBucket on resource: " +
        "arn:aws:s3:::files because no identity-based policy allows the s3:ListBucket action",
    });
  });

  test("is 403 for who may list the bucket but not read objects, and the call is not carried out", async () => {
    grant("s3:ListBucket");
    expect(await answers()).toEqual([403, 403]);
    expect(forwarded).toBe(0);
  });
});

test("a role that may read a bucket's policy learns that no policy exists, without a permission to list", async () => {
  grant("s3:GetBucketPolicy");
  await expect(s3.send(new GetBucketPolicyCommand({ Bucket: "files" }))).rejects.toMatchObject({
    $metadata: { httpStatusCode: 404 },
  });
  await expect(s3.send(new ListObjectsV2Command({ Bucket: "files" }))).rejects.toMatchObject({
    $metadata: { httpStatusCode: 403 },
  });
  expect(forwarded).toBe(1);
});
