/** Nothing of a payment file is recorded that is not verified, nothing is lost or skipped without a sign, and what one file leaves is bounded. */

import { createHash } from "node:crypto";
import { gzipSync, inflateRawSync } from "node:zlib";
import { S3Client } from "@aws-sdk/client-s3";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { PaymentFiles } from "../../../ledger/files/payment-files";
import { GZIP_RATIO_MAX } from "../../../ledger/files/text";
import { FILE_LIMITS } from "../../../ledger/operations/judge-rows";
import { refusal } from "../../../ledger/rules/refusals";
import { textOf } from "../../../ledger/rules/stored-item";
import { auditView } from "../../../ledger/store/audit-record";
import { processEvent, processUpload, reportOf } from "../../support/file-runs";
import { everythingIn, FILES_BUCKET, freshId, type Harness, s3Event, startHarness } from "../../support/ledger-harness";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness?.stop());
afterEach(() => harness?.proxy.reset());

const HEADER = "transactionId,amount,currency,cardLast4";
const CARD = "4111111111111111";
const csv = (ids: readonly string[], amount = "10.00") =>
  [HEADER, ...ids.map((id) => `${id},${amount},EUR,4242`)].join("\n");
const freshIds = (count: number) => Array.from({ length: count }, () => freshId("file"));
const processed = (key: string, body: string | Uint8Array, settings = {}) =>
  processUpload(harness, `payments/${key}`, body, settings);
const storedIds = async () => new Set((await harness.scan("transactions")).map((row) => textOf(row, "transactionId")));
const auditIds = async () => new Set((await harness.scan("audit")).map((record) => textOf(record, "AuditID")));

/** What the trail says of the records that an act leaves, the WRITE records left out. */
async function recordsLeftBy(act: () => Promise<unknown>) {
  const before = await auditIds();
  await act();
  const left = (await harness.scan("audit")).filter(
    (record) => !before.has(textOf(record, "AuditID")) && textOf(record, "Action") !== "WRITE",
  );
  return Promise.all(left.map((record) => auditView(record, harness.services)));
}

test("the checksum that S3 holds is verified before anything is recorded", async () => {
  const ids = freshIds(120);
  const event = await harness.upload("payments/checksum.csv", csv(ids));
  const wrong = Buffer.alloc(4, 7).toString("base64");
  const http = new NodeHttpHandler();
  const requestHandler = {
    handle: async (...request: Parameters<NodeHttpHandler["handle"]>) => {
      const answer = await http.handle(...request);
      answer.response.headers["x-amz-checksum-crc32"] = wrong;
      return answer;
    },
  };
  const s3 = new S3Client({ ...harness.clientConfig, forcePathStyle: true, requestHandler });
  const files = new PaymentFiles(s3, FILES_BUCKET);
  await expect(processEvent(harness, event, { files })).rejects.toThrow("Checksum mismatch");
  s3.destroy();
  const stored = await storedIds();
  expect(ids.filter((id) => stored.has(id))).toEqual([]);
  await processEvent(harness, event);
  expect((await reportOf(harness, event)).report.counts.stored).toBe(120);
});

test("where the event names no version, a file replaced between its two readings is not recorded", async () => {
  const [key, replaced] = ["payments/replaced-between.csv", freshIds(3)];
  await harness.upload(key, csv(freshIds(3)));
  const files = new PaymentFiles(new S3Client({ ...harness.clientConfig, forcePathStyle: true }), FILES_BUCKET);
  const open = files.open.bind(files);
  let readings = 0;
  files.open = async (...version) => {
    readings += 1;
    if (readings === 2) await harness.upload(key, csv(replaced));
    return open(...version);
  };
  await expect(processEvent(harness, s3Event(key, undefined), { files })).rejects.toMatchObject({
    name: "PreconditionFailed",
  });
  const stored = await storedIds();
  expect(replaced.filter((id) => stored.has(id))).toEqual([]);
});

describe("an id that comes twice", () => {
  test("in one file is listed with its row, in one batch and in another", async () => {
    const ids = freshIds(120);
    const all = [...ids, ids[0] ?? "", ids[119] ?? ""];
    const { event, report, badRows } = await processed("repeats.csv", csv(all));
    expect(report.counts).toEqual({ stored: 120, duplicate: 2, conflict: 0, refused: 0 });
    const repeats = [
      { row: 122, outcome: "duplicate", code: "DUPLICATE", transactionId: ids[0] },
      { row: 123, outcome: "duplicate", code: "DUPLICATE", transactionId: ids[119] },
    ];
    expect(badRows).toEqual(repeats);
    const again = await processed("repeats-again.csv", csv(all));
    expect(again.report.counts).toEqual({ stored: 0, duplicate: 122, conflict: 0, refused: 0 });
    expect(again.badRows).toEqual(repeats);
    expect(event.Records[0].s3.object.versionId).not.toBe(again.event.Records[0].s3.object.versionId);
  });

  test("in two runs over one file is listed too, and the file is checked in the first run only", async () => {
    const ids = freshIds(200);
    const original = await harness.upload("payments/long-repeats.csv", csv([...ids, ids[3] ?? ""]));
    let batches = 0;
    const call = { ...harness.call("payment-processor"), remainingMs: () => (batches++ < 2 ? 900_000 : 30_000) };
    await processEvent(harness, original, { call });
    const [continuation = ""] = await harness.objectKeys("continue/");
    expect(JSON.parse(await harness.readObject(continuation))).toMatchObject({
      verified: { etag: expect.any(String) },
    });
    harness.proxy.reset();
    await processEvent(harness, s3Event(continuation, undefined));
    const { report, badRows } = await reportOf(harness, original);
    expect(report.counts).toEqual({ stored: 200, duplicate: 1, conflict: 0, refused: 0 });
    expect(badRows).toEqual([{ row: 202, outcome: "duplicate", code: "DUPLICATE", transactionId: ids[3] }]);
  });
});

describe("an event that S3 sends twice", () => {
  test("leaves the finished report as it is, and a second one beside it", async () => {
    const ids = freshIds(60);
    const { event, report } = await processed("twice.csv", csv(ids));
    const call = harness.call("payment-processor");
    await processEvent(harness, event, { call });
    expect((await reportOf(harness, event)).report).toEqual(report);
    const second = await reportOf(harness, event, `${call.caller.requestId}/`);
    expect(second.report.counts).toEqual({ stored: 0, duplicate: 60, conflict: 0, refused: 0 });
    expect(second.badRows).toEqual([]);
  });

  test("at the same time leaves two reports, each with its own list of bad rows", async () => {
    const event = await harness.upload("payments/at-once.csv", `${csv(freshIds(100))}\nbroken`);
    const calls = [harness.call("payment-processor"), harness.call("payment-processor")];
    await Promise.all(calls.map((call) => processEvent(harness, event, { call })));
    const first = await reportOf(harness, event);
    const other = calls.find((call) => call.caller.requestId !== first.report.request);
    const second = await reportOf(harness, event, `${other?.caller.requestId}/`);
    expect(first.report.counts.stored + second.report.counts.stored).toBe(100);
    expect(first.report.badRows).not.toEqual(second.report.badRows);
    for (const { badRows } of [first, second])
      expect(badRows).toEqual([{ row: 102, outcome: "refused", code: "NOT_CSV" }]);
  });

  test("a try that died behind its report is finished by the next one, with the same report", async () => {
    const call = harness.call("payment-processor");
    const event = await harness.upload("payments/died.csv", `${csv(freshIds(2))}\n${freshId()},1.00,EUR,${CARD}`);
    const files = new PaymentFiles(new S3Client({ ...harness.clientConfig, forcePathStyle: true }), FILES_BUCKET);
    files.remove = () => Promise.reject(new Error("The host died."));
    await expect(processEvent(harness, event, { call, files })).rejects.toThrow("The host died.");
    const { report } = await reportOf(harness, event);
    expect(await processEvent(harness, event, { call })).toMatchObject({ statusCode: 200 });
    expect((await reportOf(harness, event)).report).toEqual(report);
    expect(await harness.objectKeys("payments/died.csv")).toEqual([]);
  });
});

describe("card data in text that becomes no row", () => {
  test.each<[string, string]>([
    ["a header", `transactionId,metadata.${CARD}\n`],
    ["a header that cannot be used", `${HEADER},${CARD}\n`],
    ["lines that end with CR", `${HEADER}\rcr-1,10.50,EUR,${CARD}\r`],
    ["text behind an array", `[{"transactionId":"a"}]${" ".repeat(200_000)}[{"note":"${CARD}"}]`],
    ["a row behind its first 256 KiB", `${csv(["x"])}\ny,${"1".repeat(300_000)} ${CARD},EUR,4242\n`],
    ["a broken row behind JSON's escapes", `${csv(["x"])}\ny,\\u0034${CARD.slice(1)}\n`],
  ])("%s is found: the file is removed, with a record", async (_where, text) => {
    const key = `card-${freshId()}`;
    const records = await recordsLeftBy(async () => {
      const { report, badRows } = await processed(key, text);
      expect(report).toMatchObject({ cardDataRows: 1, removed: true });
      expect(badRows).toContainEqual(expect.objectContaining({ code: "CARD_DATA" }));
    });
    expect(records).toMatchObject([{ Action: "REFUSAL", query_result: "CARD_DATA" }]);
    expect(await harness.objectKeys(`payments/${key}`)).toEqual([]);
  });

  test("a file whose name holds a card number is not opened and not removed, and its record says which it is", async () => {
    const [id = ""] = freshIds(1);
    const key = "payments/6011111111111117.csv";
    const event = await harness.upload(key, csv([id]));
    const records = await recordsLeftBy(async () => {
      expect(await processEvent(harness, event)).toMatchObject({ statusCode: 400 });
    });
    expect(await storedIds()).not.toContain(id);
    expect(await harness.objectKeys("payments/6011")).toEqual([key]);
    expect(await harness.objectKeys("reports/payments/6011")).toEqual([]);
    expect(everythingIn(await harness.scan("audit"))).not.toContain("6011111111111117");
    const { versionId } = event.Records[0].s3.object;
    const File = createHash("sha256").update(key).digest("hex");
    expect(records).toMatchObject([{ Action: "REFUSAL", QueryDetails: { File, VersionId: versionId } }]);
  });

  test("a file with a harmless name beside it in the event is processed", async () => {
    const [id = ""] = freshIds(1);
    const bad = await harness.upload("payments/5105105105105100.csv", csv([freshId()]));
    const good = await harness.upload("payments/beside.csv", csv([id]));
    expect(await processEvent(harness, { Records: [...bad.Records, ...good.Records] })).toMatchObject({
      statusCode: 400,
    });
    expect(await storedIds()).toContain(id);
  });
});

describe("what one file leaves is bounded", () => {
  const limits = { rowsMax: 100, cardDataRowsMax: 10, attemptsMax: 10 };
  const withCards = (count: number) => `${csv(freshIds(1))}\n${`${CARD},,,\n`.repeat(count)}`;

  test("the refusals name the limits as they are", () => {
    const { rowsMax, cardDataRowsMax } = FILE_LIMITS;
    expect(refusal("TOO_MANY_ROWS").message).toContain(`${rowsMax / 1e6} million`);
    expect(refusal("TOO_MUCH_CARD_DATA").message).toContain(cardDataRowsMax.toLocaleString("en"));
    expect(refusal("GZIP_RATIO_TOO_HIGH").message).toContain(`${GZIP_RATIO_MAX} times`);
  });

  test("a file that stays has a record for each of the first rows with card data, and one for all others", async () => {
    const records = await recordsLeftBy(async () => {
      const { report } = await processed("many-cards.csv", withCards(60), { limits, removeCardDataFiles: false });
      expect(report).toMatchObject({ rows: 61, cardDataRows: 60, removed: false });
    });
    expect(records).toHaveLength(11);
    const further = records.filter(({ QueryDetails }) => "FurtherRows" in (QueryDetails as object));
    expect(further).toMatchObject([{ QueryDetails: { FurtherRows: 50, VersionId: expect.any(String) } }]);
  });

  test("a file that will be removed is read no further behind them", async () => {
    const records = await recordsLeftBy(async () => {
      const { report, badRows } = await processed("stopped.csv", withCards(60), { limits });
      expect(report).toMatchObject({ rows: 12, cardDataRows: 10, removed: true, counts: { stored: 1, refused: 11 } });
      expect(badRows.at(-1)).toEqual({ row: 13, outcome: "refused", code: "TOO_MUCH_CARD_DATA" });
    });
    expect(records).toHaveLength(10);
  });

  const ACTOR_HEADER = `${HEADER},actor`;

  test.each<[string, string, (id: string, row: number) => string]>([
    ["conflict", "CONFLICT", (id, row) => `${id},${row}.00,EUR,4242,importer`],
    ["duplicate", "DUPLICATE", (id, row) => `${id},1.00,EUR,4242,actor-${row}`],
  ])("the first rows that are a %s have a record each, and all others one", async (result, action, row) => {
    const [id = ""] = freshIds(1);
    const rows = Array.from({ length: 90 }, (_, index) => row(id, index + 1));
    const records = await recordsLeftBy(async () => {
      const { report } = await processed(`${result}s.csv`, [ACTOR_HEADER, ...rows].join("\n"), { limits });
      expect(report.counts).toMatchObject({ stored: 1, [result]: 89 });
    });
    expect(records).toHaveLength(11);
    expect(new Set(records.map(({ Action, query_result }) => `${Action} ${query_result}`))).toEqual(
      new Set([`${action} ${result}`]),
    );
    const further = records.filter(({ QueryDetails }) => "FurtherRows" in (QueryDetails as object));
    expect(further).toMatchObject([
      { QueryDetails: { FurtherRows: 79, File: expect.any(String), VersionId: expect.any(String) } },
    ]);
    // The records are those of the first rows, in whichever order the batches were done.
    expect(records.every(({ Actor }) => !/^actor-(1[2-9]|[2-9][0-9])$/.test(String(Actor)))).toBe(true);
  });

  test("the bound holds over the runs of a file, and for a run that is repeated", async () => {
    const [id = ""] = freshIds(1);
    const longLimits = { ...limits, rowsMax: 1_000 };
    const rows = Array.from({ length: 320 }, (_, index) => `${id},${index + 1}.00,EUR,4242`);
    const records = await recordsLeftBy(async () => {
      const original = await harness.upload("payments/long-conflicts.csv", [HEADER, ...rows].join("\n"));
      const earlier = await harness.objectKeys("continue/");
      let batches = 0;
      const call = { ...harness.call("payment-processor"), remainingMs: () => (batches++ % 3 < 2 ? 900_000 : 30_000) };
      await processEvent(harness, original, { call, limits: longLimits });
      await processEvent(harness, original, { call, limits: longLimits });
      const continuations = await harness.objectKeys("continue/");
      const [continuation = ""] = continuations.filter((key) => !earlier.includes(key));
      await processEvent(harness, s3Event(continuation, undefined), { limits: longLimits });
      expect((await reportOf(harness, original)).report.counts).toMatchObject({ duplicate: 1, conflict: 319 });
    });
    expect(records).toHaveLength(11);
    expect(
      records.filter(({ QueryDetails }) => (QueryDetails as { FurtherRows?: number }).FurtherRows === 309),
    ).toHaveLength(1);
  });

  test("rows behind the last that is recorded are counted, searched, and listed once", async () => {
    const ids = freshIds(150);
    const { report, badRows } = await processed("many-rows.csv", `${csv(ids)}\n${freshId()},1.00,EUR,${CARD}`, {
      limits,
    });
    expect(report).toMatchObject({ rows: 151, counts: { stored: 100, refused: 51 }, cardDataRows: 1, removed: true });
    expect(badRows).toMatchObject([
      { row: 102, code: "TOO_MANY_ROWS" },
      { row: 152, code: "CARD_DATA" },
    ]);
  });
});

describe("a gzip file", () => {
  const rows = Array.from({ length: 500 }, (_, index) => `bit-${index},${index % 997}.${(index % 90) + 10},EUR,4242`);
  const sound = gzipSync([HEADER, ...rows].join("\n"));

  /** The first bit of the compressed rows that, flipped, leaves everything readable but the checksum at the end. */
  function flipped(): Buffer {
    for (let at = 200; at < sound.length - 8; at++) {
      const bytes = Buffer.from(sound);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      if (inflatesToTheEnd(bytes)) return bytes;
    }
    throw new Error("No bit can be flipped without breaking the compression itself.");
  }

  function inflatesToTheEnd(bytes: Buffer): boolean {
    try {
      inflateRawSync(bytes.subarray(10, -8));
      return true;
    } catch {
      return false;
    }
  }

  test("with one flipped bit stores nothing and is one bad row; sent sound, all of it is stored", async () => {
    const damaged = await processed("bitflip.csv.gz", flipped());
    expect(damaged.report).toMatchObject({ rows: 1, counts: { stored: 0, duplicate: 0, conflict: 0, refused: 1 } });
    expect(damaged.badRows).toEqual([{ row: 1, outcome: "refused", code: "DAMAGED_GZIP" }]);
    expect([...(await storedIds())].filter((id) => id?.startsWith("bit-"))).toEqual([]);
    const { report } = await processed("bitflip.csv.gz", sound);
    expect(report.counts).toEqual({ stored: 500, duplicate: 0, conflict: 0, refused: 0 });
  });

  test.each<[string, (first: Buffer, second: Buffer) => Buffer[]]>([
    ["cut in its last byte", (first, second) => [first, second.subarray(0, -1)]],
    ["with zeros between its members", (first, second) => [first, Buffer.alloc(512), second]],
    ["with one zero between its members", (first, second) => [first, Buffer.alloc(1), second]],
    ["with plain text behind its members", (first, second) => [first, second, Buffer.from("x,1.00,EUR,4242")]],
    ["with plain text behind a zero", (first) => [first, Buffer.from("\0x,1.00,EUR,4242")]],
    ["with a wrong length in its first member", (first, second) => [first.fill(9, first.length - 4), second]],
  ])("%s stores nothing and is one bad row", async (_how, damage) => {
    const ids = freshIds(2);
    const members = damage(gzipSync(`${csv(ids.slice(0, 1))}\n`), gzipSync(`${ids[1]},10.00,EUR,4242`));
    const { report, badRows } = await processed("damaged.csv.gz", Buffer.concat(members));
    expect(report).toMatchObject({ rows: 1, counts: { stored: 0, refused: 1 }, cardDataRows: 0, removed: false });
    expect(badRows).toEqual([{ row: 1, outcome: "refused", code: "DAMAGED_GZIP" }]);
    const stored = await storedIds();
    expect(ids.filter((id) => stored.has(id))).toEqual([]);
  });

  test("with zeros to its end, as a block is filled, is sound", async () => {
    const bytes = Buffer.concat([gzipSync(csv(freshIds(3))), Buffer.alloc(1_000)]);
    expect((await processed("padded.csv.gz", bytes)).report.counts).toMatchObject({ stored: 3, refused: 0 });
  });

  test("that is damaged and holds card data is removed, and its one bad row says so", async () => {
    const bytes = gzipSync(`${csv(freshIds(2))}\n${freshId()},${CARD},EUR,4242`);
    const records = await recordsLeftBy(async () => {
      const { report, badRows } = await processed("damaged-card.csv.gz", bytes.subarray(0, -1));
      expect(report).toMatchObject({ counts: { stored: 0, refused: 1 }, cardDataRows: 1, removed: true });
      expect(badRows).toEqual([{ row: 1, outcome: "refused", code: "CARD_DATA" }]);
    });
    expect(records).toMatchObject([{ Action: "REFUSAL" }]);
    expect(await harness.objectKeys("payments/damaged-card")).toEqual([]);
  });

  test.each<[string, (name: string) => Buffer]>([
    ["the name", (text) => withHeader(8, `${text}\0`)],
    ["the comment behind a name", (text) => withHeader(8 + 16, `rows.csv\0${text}\0`)],
    ["the extra field", (text) => withHeader(4, `${String.fromCharCode(text.length, 0)}${text}`)],
  ])("with card data in %s of a header is removed, and nothing of it is recorded", async (_where, packed) => {
    for (const members of [[packed(`card ${CARD}.csv`)], [gzipSync(`${HEADER}\n`), packed(`${CARD}.csv`)]]) {
      const key = `header-${freshId()}.csv.gz`;
      const { report, badRows } = await processed(key, Buffer.concat(members));
      expect(report).toMatchObject({ counts: { stored: 0, refused: 1 }, cardDataRows: 1, removed: true });
      expect(badRows).toEqual([{ row: 1, outcome: "refused", code: "CARD_DATA" }]);
    }
    const harmless = await processed(`header-${freshId()}.csv.gz`, packed("payments-2026-11-28.csv"));
    expect(harmless.report.counts).toMatchObject({ stored: 1, refused: 0 });
  });

  /** One member with these flags and fields. */
  function withHeader(flags: number, fields: string): Buffer {
    const sound = gzipSync(csv(freshIds(1)));
    const fixed = Buffer.from(sound.subarray(0, 10));
    fixed[3] = flags;
    return Buffer.concat([fixed, Buffer.from(fields, "latin1"), sound.subarray(10)]);
  }

  test("that inflates beyond the ratio stores nothing and is one bad row", async () => {
    const bytes = gzipSync(`${csv(freshIds(1))}\n${" \n".repeat(2_000_000)}`);
    const { report, badRows } = await processed("bomb.csv.gz", bytes);
    expect(report.counts).toEqual({ stored: 0, duplicate: 0, conflict: 0, refused: 1 });
    expect(badRows).toMatchObject([{ code: "GZIP_RATIO_TOO_HIGH" }]);
  });
});
