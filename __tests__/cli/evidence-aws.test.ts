import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { CreateTableCommand, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { shapeOf } from "../../backup/export-lines";
import { keyAttributes, sdkItemOf } from "../../backup/restore-plan";
import { EVIDENCE_PREFIX, TABLES } from "../../contract";
import { fetchEvidence, treePaths } from "../../evidence/commands/fetch";
import { type ScannedTable, writeScan } from "../../evidence/commands/scan-files";
import type { EvidenceFolder } from "../../evidence/verifier/evidence";
import { exportSources } from "../../evidence/verifier/export-source";
import { localEvidence } from "../../evidence/verifier/local-evidence";
import { logicalNameOf } from "../../ledger/exports/names";
import { commitmentOf } from "../../ledger/rules/commitment";
import type { EmbeddedAws } from "../../local/embedded-aws";
import { heartbeat, signerOf, someEntries, WrittenLog } from "../interop/written-log";
import { buildWorld } from "../support/log-world";
import { logKey, memoryEvidence } from "../support/naive-log";
import { payledger } from "../support/run-in-process";
import { type ScriptResult, variablesOf } from "../support/run-script";
import { sharedEmbeddedAws } from "../support/shared-aws";

const folder = mkdtempSync(path.join(tmpdir(), "payment-ledger-fetch-"));
afterAll(() => rmSync(folder, { recursive: true }));
let copies = 0;
const newCopy = () => path.join(folder, `copy-${copies++}`);

describe("fetching evidence", () => {
  let log: WrittenLog;
  let entries: ReturnType<typeof someEntries>;
  const grow = async (count: number) => {
    await log.add(Array.from({ length: count }, () => entries.next().value ?? heartbeat("2026-12-01T00:00:00.000Z")));
    await log.publish();
  };

  beforeEach(async () => {
    log = new WrittenLog([await signerOf()]);
    entries = someEntries(2_000);
    await grow(300);
    await grow(300);
  });
  afterEach(() => log.delete());

  /** What was read of it. */
  function watched(source: EvidenceFolder = localEvidence(log.top)): EvidenceFolder & { readonly reads: string[] } {
    const reads: string[] = [];
    return {
      ...source,
      reads,
      read: (name) => {
        reads.push(name);
        return source.read(name);
      },
    };
  }

  const filesOf = (top: string) =>
    readdirSync(top, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(top, path.join(entry.parentPath, entry.name)));

  test("takes what the newest checkpoint needs, and keys, checkpoints and cosignatures", async () => {
    log.write("cosignatures/0000000000000300/0a0b0c0d", "— witness.example/w AAAAAAAA\n");
    const to = newCopy();
    const result = await fetchEvidence(localEvidence(log.top), to);
    expect(result).toMatchObject({ size: 600, origin: log.origin });
    const expected = [
      ...treePaths(600),
      "checkpoint",
      "checkpoints/0000000000000300",
      "checkpoints/0000000000000600",
      "cosignatures/0000000000000300/0a0b0c0d",
      `keys/${log.signers[0]?.keyId}.vkey`,
    ];
    expect(filesOf(to).sort()).toEqual(expected.sort());
    for (const name of expected) expect(readFileSync(path.join(to, name))).toEqual(log.read(name));
    expect(result.fetched).toBe(expected.length - 1);
  });

  test("the second time reads nothing that is there", async () => {
    const to = newCopy();
    await fetchEvidence(localEvidence(log.top), to);
    const idle = watched();
    expect(await fetchEvidence(idle, to)).toMatchObject({ size: 600, fetched: 0 });
    expect(idle.reads).toEqual(["checkpoint"]);
    await grow(200);
    const source = watched();
    await fetchEvidence(source, to);
    expect(source.reads[0]).toBe("checkpoint");
    expect(source.reads).not.toContain("tile/0/000");
    expect(source.reads).not.toContain("tile/entries/001");
    expect(source.reads).toContain("tile/entries/002");
  });

  test("of a log that grows meanwhile the copy is that of the checkpoint that was read first", async () => {
    const source = localEvidence(log.top);
    let grown = false;
    const moving: EvidenceFolder = {
      ...source,
      read: async (name) => {
        const bytes = await source.read(name);
        if (!grown) {
          grown = true;
          await grow(400);
        }
        return bytes;
      },
    };
    const to = newCopy();
    expect(await fetchEvidence(moving, to)).toMatchObject({ size: 600 });
    expect(filesOf(to).filter((name) => name.includes("0001000"))).toEqual([]);
    expect(await fetchEvidence(source, to)).toMatchObject({ size: 1_000 });
  });

  test("a full tile replaces a partial one that the log removed", async () => {
    const source = localEvidence(log.top);
    const checkpoint = log.read("checkpoint");
    await grow(168);
    const pruned: EvidenceFolder = {
      ...source,
      list: async function* (prefix) {
        for await (const name of source.list(prefix)) if (!name.includes("0000768")) yield name;
      },
      read: async (name) =>
        name.includes("002.p/88") ? undefined : name === "checkpoint" ? checkpoint : source.read(name),
    };
    const to = newCopy();
    expect(await fetchEvidence(pruned, to)).toMatchObject({ size: 600 });
    expect(existsSync(path.join(to, "tile/entries/002"))).toBe(true);
  });

  test.each(["tile/0/000", "tile/entries/001", "tile/entries/002.p/88", "tile/1/000.p/2"])(
    "%s that was changed in the copy is named, and the checkpoint stays as it was; without the named files fetch repairs the copy",
    async (name) => {
      const to = newCopy();
      await fetchEvidence(localEvidence(log.top), to);
      const before = readFileSync(path.join(to, "checkpoint"));
      const bytes = readFileSync(path.join(to, name));
      bytes[20] = (bytes[20] ?? 0) ^ 1;
      writeFileSync(path.join(to, name), bytes);
      const fetching = fetchEvidence(localEvidence(log.top), to);
      await expect(fetching).rejects.toMatchObject({ code: "COPY_DAMAGED", exitCode: 21 });
      expect(readFileSync(path.join(to, "checkpoint"))).toEqual(before);
      const message = await fetching.then(String, ({ message }: Error) => message);
      const named = [...message.matchAll(/tile\/\w+\/\d+(\.p\/\d+)?/g)].map(([file]) => file);
      expect(named).toContain(name);
      for (const file of named) rmSync(path.join(to, file));
      expect(await fetchEvidence(localEvidence(log.top), to)).toMatchObject({ fetched: named.length });
    },
  );

  test("an object that is missing or damaged in the bucket", async () => {
    const source = localEvidence(log.top);
    const without = (gone: string): EvidenceFolder => ({
      ...source,
      read: async (name) => (name === gone ? undefined : source.read(name)),
    });
    const missing = fetchEvidence(without("tile/0/001"), newCopy());
    await expect(missing).rejects.toMatchObject({ code: "OBJECT_MISSING", exitCode: 21 });
    await expect(fetchEvidence(without("checkpoint"), newCopy())).rejects.toMatchObject({ code: "BUCKET_EMPTY" });
    await log.damaged("tile/entries/000", 1, async () => {
      await expect(fetchEvidence(source, newCopy())).rejects.toMatchObject({ code: "COPY_DAMAGED" });
    });
  });

  test("a fork: the copy of before is kept, and is whole", async () => {
    const to = newCopy();
    await fetchEvidence(localEvidence(log.top), to);
    const other = new WrittenLog(log.signers);
    await other.add([heartbeat("2026-12-02T00:00:00.000Z"), ...someEntries(900)]);
    await other.publish();
    const fetching = fetchEvidence(localEvidence(other.top), to);
    await expect(fetching).rejects.toMatchObject({ code: "LOG_FORKED", exitCode: 16 });
    expect(readFileSync(path.join(to, "checkpoint"))).toEqual(log.read("checkpoint"));
    expect(await fetchEvidence(localEvidence(log.top), to)).toMatchObject({ size: 600, fetched: 0 });
    other.delete();
  });

  test("a checkpoint of the copy that is of another past, though every tile fits", async () => {
    const to = newCopy();
    await fetchEvidence(localEvidence(log.top), to);
    const lines = log.read("checkpoint").toString().split("\n");
    lines[2] = Buffer.alloc(32, 9).toString("base64");
    writeFileSync(path.join(to, "checkpoint"), lines.join("\n"));
    await expect(fetchEvidence(localEvidence(log.top), to)).rejects.toMatchObject({ code: "LOG_FORKED" });
  });

  test("a log that went back, and another log", async () => {
    const to = newCopy();
    const source = localEvidence(log.top);
    await fetchEvidence(source, to);
    const earlier = log.read("checkpoints/0000000000000300");
    const back: EvidenceFolder = {
      ...source,
      read: async (name) => (name === "checkpoint" ? earlier : source.read(name)),
    };
    await expect(fetchEvidence(back, to)).rejects.toMatchObject({ code: "LOG_WENT_BACK", exitCode: 19 });
    const other = await WrittenLog.of(someEntries(3), undefined, "payment-ledger/other");
    await expect(fetchEvidence(localEvidence(other.top), to)).rejects.toMatchObject({
      code: "WRONG_KEY",
      exitCode: 18,
    });
    other.delete();
  });

  test("a log that was cut in its bucket: the larger checkpoints are copied, and the cut is reported", async () => {
    log.write("checkpoint", log.read("checkpoints/0000000000000300"));
    const to = newCopy();
    const fetching = fetchEvidence(localEvidence(log.top), to, () => {}, 1);
    await expect(fetching).rejects.toMatchObject({ code: "LOG_WENT_BACK", exitCode: 19 });
    for (const name of ["checkpoint", "checkpoints/0000000000000600"])
      expect(readFileSync(path.join(to, name))).toEqual(log.read(name));
  });

  test("no name in the bucket leads out of the folder", async () => {
    const source = localEvidence(log.top);
    const hostile: EvidenceFolder = {
      ...source,
      list: async function* (prefix) {
        yield* source.list(prefix);
        if (prefix === "keys/") yield* ["keys/../../escaped", "keys//etc", "keys/a\\b", "keys/"];
      },
    };
    await fetchEvidence(hostile, newCopy());
    expect(existsSync(path.join(folder, "escaped"))).toBe(false);
  });
});

describe("a scan", () => {
  const items = Array.from({ length: 2_500 }, (_, index) => ({
    TransactionID: { S: `txn-${index}` },
    Note: { S: "x".repeat(20_000) },
  }));
  const table = (pages: readonly (typeof items)[]): ScannedTable => ({
    name: "PaymentLedger-dev",
    arn: "arn:aws:dynamodb:us-east-1:111122223333:table/PaymentLedger-dev",
    pages: async function* () {
      yield* pages;
    },
  });

  test("is read as an export that was taken when it began, whatever its size", async () => {
    const to = newCopy();
    const startedAt = new Date("2026-11-21T10:00:00.123Z");
    const result = await writeScan(table([items.slice(0, 1_000), items.slice(1_000), []]), to, startedAt);
    expect(result).toMatchObject({ items: 2_500, takenAt: "2026-11-21T10:00:00.123Z" });
    const { sources, problems } = await exportSources(to);
    expect(problems).toEqual([]);
    expect(sources).toMatchObject([{ table: "PaymentLedger", takenAt: "2026-11-21T10:00:00.123Z" }]);
    let read = 0;
    for (const source of sources) for await (const batch of source.batches()) read += batch.length;
    expect(read).toBe(2_500);
    const files = readdirSync(to, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".gz"));
    expect(files.length).toBeGreaterThan(1);
  });

  test("of an empty table is one too; into a folder that is there it is not written", async () => {
    const to = newCopy();
    await writeScan(table([]), to, new Date(0));
    expect((await exportSources(to)).sources).toHaveLength(1);
    await expect(writeScan(table([]), to, new Date(0))).rejects.toMatchObject({ code: "FOLDER_NOT_EMPTY" });
  });
});

describe("on AWS", () => {
  const BUCKET = "payment-evidence-cli";
  const key = logKey("log");
  const witness = logKey("witness", "cosignature", "witness.example/w1");
  const built = buildWorld([key], witness, false);
  const names = Object.values(TABLES).map(({ logicalName }) => `${logicalName}-dev`);
  let aws: EmbeddedAws;

  beforeAll(async () => {
    aws = await sharedEmbeddedAws();
    const dynamo = new DynamoDBClient(aws.clientConfig());
    const s3 = new S3Client(aws.clientConfig());
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    for (const [name, Body] of built.evidence) {
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: `${EVIDENCE_PREFIX}${name}`, Body }));
    }
    for (const TableName of names) {
      const logical = logicalNameOf(TableName) ?? "PaymentLedger";
      const attributes = keyAttributes(shapeOf(logical));
      await dynamo.send(new CreateTableCommand({ TableName, BillingMode: "PAY_PER_REQUEST", ...attributes }));
      for (const item of built.world.rows(logical).values()) {
        await dynamo.send(new PutItemCommand({ TableName, Item: sdkItemOf(item) }));
      }
    }
    dynamo.destroy();
    s3.destroy();
  }, 180_000);
  afterAll(() => aws?.stop());

  function evidence(...words: readonly string[]): Promise<ScriptResult> {
    return payledger(words, variablesOf(aws));
  }

  test("fetch and scan give what verify takes: every record as it is stored, against the log as it is published", async () => {
    const [copy, tables] = [newCopy(), newCopy()];
    const fetched = await evidence("fetch", "--bucket", BUCKET, "--to", copy);
    expect(fetched).toMatchObject({ code: 0, err: "" });
    const checkpoint = readFileSync(path.join(copy, "checkpoint"));
    expect(checkpoint).toEqual(await memoryEvidence(built.evidence).read("checkpoint"));
    expect((await evidence("fetch", "--bucket", BUCKET, "--to", copy)).out).toContain("; 0 new objects");
    const scanned = await evidence("scan", "--to", tables);
    expect(scanned).toMatchObject({ code: 0, err: "" });
    for (const source of (await exportSources(tables)).sources) {
      const read: string[] = [];
      for await (const batch of source.batches()) {
        for (const { now } of batch)
          read.push(commitmentOf(source.table, typeof now === "string" ? JSON.parse(now) : now));
      }
      const stored = [...built.world.rows(source.table).values()].map((item) => commitmentOf(source.table, item));
      expect(read.sort()).toEqual(stored.sort());
    }
    const words = ["--evidence", copy, "--export", tables, "--key", key.vkey, "--witness", witness.vkey, "--json"];
    const verified = JSON.parse((await evidence("verify", ...words)).out);
    // The world's log was written for another day: only its age may be found.
    expect(verified.verdicts.filter((verdict: string) => verdict !== "stale")).toEqual([]);
    expect(verified.counts.records).toBe(
      names.reduce((sum, name) => sum + built.world.rows(logicalNameOf(name) ?? "PaymentLedger").size, 0),
    );
  }, 120_000);

  test("a missing table or bucket, a table of another system and a wrong use are errors that say so", async () => {
    const one = await evidence("scan", "--to", newCopy(), "--table", "payment-transactions-dev");
    expect(one.out.trim().split("\n")).toHaveLength(1);
    expect(await evidence("scan", "--to", newCopy(), "--table", "PaymentLedger-none")).toMatchObject({
      code: 2,
      err: expect.stringContaining("There is no table"),
    });
    expect(await evidence("scan", "--to", newCopy(), "--table", "Other")).toMatchObject({
      code: 2,
      err: expect.stringContaining("no table of this ledger"),
    });
    expect(await evidence("fetch", "--bucket", "payment-none", "--to", newCopy())).toMatchObject({
      code: 2,
      err: expect.stringContaining("There is no bucket"),
    });
    for (const words of [["fetch", "--bucket", "x"], ["scan"], ["scan", "--to", "x", "more"]]) {
      const ended = await evidence(...words);
      expect(ended).toMatchObject({ code: 2, out: "", err: expect.stringContaining("Usage: npx payledger") });
    }
  }, 120_000);
});
