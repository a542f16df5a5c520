/** What the bucket of payment files is asked for, as it goes over the line, and what becomes of its answers. */

import { Readable } from "node:stream";
import { S3Client } from "@aws-sdk/client-s3";
import { PaymentFiles } from "../../../ledger/files/payment-files";
import { listOf } from "./sources";

interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

interface Answer {
  readonly statusCode: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const KEY = "payments/2026/a file.csv";

/** A bucket that gives every request the same answer, and the requests. */
function bucket({ statusCode, body = "", headers = {} }: Answer): { files: PaymentFiles; requests: Request[] } {
  const requests: Request[] = [];
  const s3 = new S3Client({
    region: "eu-central-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    forcePathStyle: true,
    requestHandler: {
      handle: async (request: Request) => {
        requests.push(request);
        return { response: { statusCode, headers, body: Readable.from([Buffer.from(body)]) } };
      },
    },
  });
  return { files: new PaymentFiles(s3, "files"), requests };
}

const refusal = (statusCode: number, code: string): Answer => ({
  statusCode,
  body: `<Error><Code>${code}</Code><Message>no</Message></Error>`,
});

test("a file is opened in the version and with the content that were named, and its checksum is asked for", async () => {
  const { files, requests } = bucket({ statusCode: 200, body: "a,b", headers: { etag: '"abc"' } });
  const opened = await files.open({ key: KEY, versionId: "v1" }, '"abc"');
  expect(Buffer.concat(await listOf(opened.bytes)).toString()).toBe("a,b");
  expect(opened.etag).toBe('"abc"');
  const [request] = requests;
  expect(decodeURIComponent(request?.path ?? "")).toBe(`/files/${KEY}`);
  expect(request?.query).toMatchObject({ versionId: "v1" });
  expect(request?.headers).toMatchObject({ "if-match": '"abc"', "x-amz-checksum-mode": "ENABLED" });
});

test("without a version and an ETag the newest content is opened, whatever it is", async () => {
  const { files, requests } = bucket({ statusCode: 200 });
  expect(await files.open({ key: KEY })).not.toHaveProperty("etag");
  expect(requests[0]?.query).not.toHaveProperty("versionId");
  expect(requests[0]?.headers).not.toHaveProperty("if-match");
});

test("text is read as UTF-8; only an object that does not exist is undefined", async () => {
  expect(await bucket({ statusCode: 200, body: "Zürich €" }).files.readTextIfThere(KEY)).toBe("Zürich €");
  expect(await bucket(refusal(404, "NoSuchKey")).files.readTextIfThere(KEY)).toBeUndefined();
  await expect(bucket(refusal(403, "AccessDenied")).files.readTextIfThere(KEY)).rejects.toThrow();
  await expect(bucket(refusal(404, "NoSuchKey")).files.readText(KEY)).rejects.toThrow();
});

test("an object that must not exist yet is put under that condition; one that exists is left as it is", async () => {
  const { files, requests } = bucket({ statusCode: 200 });
  expect(await files.writeTextOnce(KEY, "{}")).toBe(true);
  await files.writeText(KEY, "{}", "application/x-ndjson");
  const [once, always] = requests;
  expect([once?.method, once?.headers["content-type"], once?.headers["if-none-match"]]).toEqual([
    "PUT",
    "application/json",
    "*",
  ]);
  expect(always?.headers).toMatchObject({ "content-type": "application/x-ndjson" });
  expect(always?.headers).not.toHaveProperty("if-none-match");

  expect(await bucket(refusal(412, "PreconditionFailed")).files.writeTextOnce(KEY, "{}")).toBe(false);
  await expect(bucket(refusal(403, "AccessDenied")).files.writeTextOnce(KEY, "{}")).rejects.toThrow();
});

test("a file is removed in its version", async () => {
  const { files, requests } = bucket({ statusCode: 204 });
  await files.remove({ key: KEY, versionId: "v1" });
  expect(requests[0]).toMatchObject({ method: "DELETE", query: { versionId: "v1" } });
});

test("an answer without a body is an error, and no empty file", async () => {
  const s3 = new S3Client({ region: "eu-central-1" });
  s3.middlewareStack.add(() => async () => ({ output: { $metadata: {} }, response: {} }), { step: "initialize" });
  const files = new PaymentFiles(s3, "files");
  await expect(files.open({ key: KEY })).rejects.toThrow("without a body");
  await expect(files.readText(KEY)).rejects.toThrow("without a body");
});
