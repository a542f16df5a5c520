/** How S3's answers to conditional puts are read. */

import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { NoSuchKey, S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { evidenceBucket } from "../../../evidence/sealing/evidence-bucket";

const FILE = { path: "checkpoint", bytes: Buffer.from("note") };

/** A bucket whose every put is answered so. */
function bucketThat(answer: () => object, pause: (attempt: number) => Promise<void> = async () => {}) {
  const s3 = new S3Client({ region: "us-east-1" });
  (s3.middlewareStack as DynamoDBClient["middlewareStack"]).add(
    () => async () => ({ output: { $metadata: {}, ...answer() }, response: {} }) as never,
    { step: "initialize", name: "answer", priority: "high" },
  );
  return evidenceBucket(s3, { bucket: "evidence", keyArn: "key" }, pause);
}

function failing(error: Error) {
  return bucketThat(() => {
    throw error;
  });
}

test("a file that is gone is not replaced, like one that somebody else has replaced", async () => {
  const gone = new NoSuchKey({ message: "", $metadata: { httpStatusCode: 404 } });
  expect(await failing(gone).replace(FILE, '"1"')).toBeUndefined();
  const $metadata = { httpStatusCode: 412 };
  const replaced = new S3ServiceException({ name: "PreconditionFailed", $fault: "client", message: "", $metadata });
  expect(await failing(replaced).replace(FILE, '"1"')).toBeUndefined();
});

test("any other fault is thrown: a missing bucket, a refused call, an answer without a version", async () => {
  for (const [name, httpStatusCode] of [
    ["NoSuchBucket", 404],
    ["AccessDenied", 403],
  ] as const) {
    const error = new S3ServiceException({ name, $fault: "client", message: "", $metadata: { httpStatusCode } });
    await expect(failing(error).replace(FILE, '"1"')).rejects.toBe(error);
  }
  await expect(bucketThat(() => ({})).replace(FILE, undefined)).rejects.toThrow("without an ETag");
  expect(await bucketThat(() => ({ ETag: '"2"' })).replace(FILE, undefined)).toBe('"2"');
});

test.each([
  [4, '"2"'],
  [5, undefined],
])("a put that meets %i others under way is tried five times in all, after a pause each", async (busy, version) => {
  const $metadata = { httpStatusCode: 409 };
  const conflict = new S3ServiceException({ name: "Conflict", $fault: "client", message: "", $metadata });
  const pauses: number[] = [];
  let puts = 0;
  const evidence = bucketThat(
    () => {
      puts += 1;
      if (puts <= busy) throw conflict;
      return { ETag: '"2"' };
    },
    async (attempt) => void pauses.push(attempt),
  );
  const put = evidence.replace(FILE, '"1"');
  if (version === undefined) await expect(put).rejects.toMatchObject({ code: "EVIDENCE_BUSY" });
  else expect(await put).toBe(version);
  expect([puts, pauses]).toEqual([5, [1, 2, 3, 4, 5].slice(0, busy)]);
});

test("a list goes on until S3 says that there is no more of it", async () => {
  const pages = [
    { Contents: [{ Key: "log/packs/000" }, {}], IsTruncated: true, NextContinuationToken: "a" },
    { IsTruncated: true, NextContinuationToken: "b" },
    { Contents: [{ Key: "log/packs/001" }], IsTruncated: false, NextContinuationToken: "c" },
  ];
  const paths: string[] = [];
  for await (const path of bucketThat(() => pages.shift() ?? {}).listAfter("packs/", "packs/")) paths.push(path);
  expect([paths, pages]).toEqual([["packs/000", "packs/001"], []]);
});

test.each([
  ["a delete marker lies over it", 404, { "x-amz-delete-marker": "true" }, true],
  ["it never was there", 404, {}, false],
  ["it is there", 200, { etag: '"1"' }, false],
])("whether an object was deleted: %s", async (_what, statusCode, headers, isDeleted) => {
  const s3 = new S3Client({
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    requestHandler: { handle: async () => ({ response: { statusCode, headers, body: Buffer.alloc(0) } }) },
  });
  const evidence = evidenceBucket(s3, { bucket: "evidence", keyArn: "key" }, async () => {});
  expect(await evidence.isDeleted("packs/001")).toBe(isDeleted);
});
