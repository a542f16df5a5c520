/** The trail of a day is whole only when every hour has CloudTrail's own digest and every file is the one that it names. */

import zlib, { gunzipSync, gzipSync } from "node:zlib";
import { readTrailDay } from "../../../evidence/identity/trail-day";
import {
  assumedRole,
  invokedByRole,
  invokedByService,
  type StoredTrailFile,
  trailFiles,
  trailSigningKey,
} from "../../../local/trail-files";
import { DAY, filesOfDay, folderOf, functionArn, TRAIL } from "./trail-world";

const SESSION = { roleId: "AROAEXAMPLE", roleName: "orders", session: "orders-1", accountId: TRAIL.accountId };
const EVENTS = [
  invokedByRole(
    {
      requestId: "r-1",
      time: `${DAY}T10:15:00Z`,
      functionArn: functionArn("persist_payment_ledger"),
      vpcEndpoint: "vpce-1",
    },
    { ...SESSION, sourceIdentity: "alice" },
  ),
  invokedByService(
    { requestId: "r-2", time: `${DAY}T23:59:30Z`, functionArn: functionArn("process_payment_messages") },
    "sqs.amazonaws.com",
  ),
  assumedRole({ ...SESSION, session: "orders-2", sourceIdentity: "bob" }, `${DAY}T12:00:00Z`),
];
const whole = () => filesOfDay(EVENTS);
const keysOf = (files: ReadonlyMap<string, StoredTrailFile>, part: string) =>
  [...files.keys()].filter((key) => key.includes(part));
const DIGEST_OF_TEN = "20261127T110000Z";

async function problemsOf(files: ReadonlyMap<string, StoredTrailFile>): Promise<readonly string[]> {
  return (await readTrailDay(folderOf(files), DAY)).problems;
}

/** The first file whose key has the part, with its content changed. */
function changed(part: string, change: (content: Buffer) => Buffer): Map<string, StoredTrailFile> {
  const files = whole();
  const [key = ""] = keysOf(files, part);
  const file = files.get(key);
  if (file === undefined) throw new Error(`The trail has no file ${part}.`);
  return files.set(key, { ...file, bytes: gzipSync(change(gunzipSync(file.bytes))) });
}

test("a whole trail gives its invocations and principals", async () => {
  const { problems, invocations, principals } = await readTrailDay(folderOf(whole()), DAY);
  expect(problems).toEqual([]);
  expect(invocations.get("r-1")).toEqual({
    requestId: "r-1",
    functionName: "persist_payment_ledger",
    time: `${DAY}T10:15:00Z`,
    principal: {
      id: "AROAEXAMPLE:orders-1",
      arn: "arn:aws:sts::111122223333:assumed-role/orders/orders-1",
      sourceIdentity: "alice",
    },
    sourceAddress: "10.0.1.17",
    vpcEndpoint: "vpce-1",
  });
  expect(invocations.get("r-2")).toMatchObject({ service: "sqs.amazonaws.com", principal: { id: "" } });
  expect(principals.get("AROAEXAMPLE:orders-2")).toMatchObject({ sourceIdentity: "bob" });
});

test("every flipped byte of a log file is a problem", async () => {
  const [key = ""] = keysOf(whole(), "_CloudTrail_");
  const { length } = gunzipSync(whole().get(key)?.bytes ?? Buffer.alloc(0));
  for (let at = 0; at < length; at += 61) {
    const files = changed("_CloudTrail_", (content) => {
      content[at] = (content[at] ?? 0) ^ 1;
      return content;
    });
    expect(await problemsOf(files)).toEqual([`${key}: It is not the file that its digest names.`]);
  }
});

test("too little memory to read a file does not make it an altered one", async () => {
  const broken = Object.assign(new Error("There was no memory."), { code: "Z_MEM_ERROR" });
  const files = folderOf(whole());
  const gunzip = jest.spyOn(zlib, "gunzipSync").mockImplementation(() => {
    throw broken;
  });
  await expect(readTrailDay(files, DAY)).rejects.toBe(broken);
  gunzip.mockRestore();
});

test("a flipped byte in a digest's text is a problem", async () => {
  const files = changed(DIGEST_OF_TEN, (content) => Buffer.from(content.toString().replace("SHA-256", "SHA-257")));
  expect(await problemsOf(files)).toEqual([
    expect.stringContaining("CloudTrail did not sign it as it is."),
    expect.stringContaining("No digest covers"),
  ]);
});

test("a missing hour is a problem, the first and the last included", async () => {
  const digests = keysOf(whole(), "CloudTrail-Digest").toSorted();
  // The hours before and behind the day's own margin are not needed.
  for (const key of digests.slice(1, -1)) {
    const files = whole();
    files.delete(key);
    expect([key, await problemsOf(files)]).toEqual([key, [expect.stringContaining("No digest covers")]]);
  }
  expect(digests).toHaveLength(28);
});

test.each([
  [
    "a missing log file",
    (files: Map<string, StoredTrailFile>) => files.delete(keysOf(files, "_CloudTrail_")[0] ?? ""),
    "it is not there",
  ],
  [
    "a file that is no gzip",
    (files: Map<string, StoredTrailFile>) =>
      files.set(keysOf(files, "_CloudTrail_")[0] ?? "", { bytes: Buffer.from("x"), metadata: {} }),
    "It is no whole gzip file",
  ],
  [
    "a digest without its signature",
    (files: Map<string, StoredTrailFile>) => {
      const [key = ""] = keysOf(files, DIGEST_OF_TEN);
      files.set(key, { bytes: files.get(key)?.bytes ?? Buffer.alloc(0), metadata: {} });
    },
    "CloudTrail did not sign it as it is.",
  ],
  [
    "a digest that was moved to another hour's place",
    (files: Map<string, StoredTrailFile>) => {
      const [from = "", to = ""] = [keysOf(files, DIGEST_OF_TEN)[0], keysOf(files, "20261127T120000Z")[0]];
      files.set(to, files.get(from) ?? { bytes: Buffer.alloc(0), metadata: {} });
    },
    "delivered to another place",
  ],
] as const)("%s is a problem", async (_, damage, problem) => {
  const files = whole();
  damage(files);
  expect((await problemsOf(files)).join("\n")).toContain(problem);
});

test("a chain that was begun anew in the middle of the day is a problem, although every digest is signed", async () => {
  const noon = new Date(`${DAY}T12:00:00Z`);
  const start = new Date(`${DAY}T00:00:00Z`).getTime();
  const files = new Map([
    ...trailFiles(TRAIL, new Date(start - 7_200_000), noon, EVENTS),
    ...trailFiles(TRAIL, noon, new Date(start + 26 * 3_600_000), EVENTS),
  ]);
  expect(await problemsOf(files)).toEqual([expect.stringContaining("It does not continue the digest before it.")]);
});

test("a trail signed by a key that CloudTrail does not list is a problem for each hour", async () => {
  const other = { ...TRAIL, key: trailSigningKey() };
  const { problems, invocations } = await readTrailDay(folderOf(whole(), other), DAY);
  expect(problems[0]).toContain("CloudTrail lists no public key with its fingerprint.");
  expect(invocations.size).toBe(0);
});

test("a reading that runs out of time says so", async () => {
  const { problems } = await readTrailDay(folderOf(whole()), DAY, () => true);
  expect(problems).toEqual(["The time was up before every file of the trail was read."]);
});
