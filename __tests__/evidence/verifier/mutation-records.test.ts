/** Every way to change exported records, against a log that nobody touched: each has its verdict, and none passes. */

import { gzipSync } from "node:zlib";
import fc from "fast-check";
import type { LogicalTableName } from "../../../contract";
import type { FindingCode, Verdict, VerificationReport } from "../../../evidence/verifier/report";
import { derivedAuditId } from "../../../ledger/rules/identifiers";
import { md5Of } from "../../support/log-world";
import { type Item, messageRow, paymentRow, someBytes, writeRecord } from "../../support/stored-records";
import { Draft, genuineDraft, incrementalDraft, keyTextOf } from "../../support/verified-world";

const genuine = genuineDraft();
const incremental = incrementalDraft();

/** The same world, untouched. */
function draft(): Draft {
  return new Draft(genuine.built);
}

function found(report: VerificationReport, verdict: Verdict, code: FindingCode, keyText?: string): void {
  const key = keyText?.split("\n");
  const expected = { verdict, code, ...(key && { key }) };
  expect(report.findings).toEqual(expect.arrayContaining([expect.objectContaining(expected)]));
  expect(report.verdicts).toContain(verdict);
  expect(report.verdict).not.toBe("ok");
}

const WRITE_5 = derivedAuditId("WRITE", "PaymentLedger", "pay-5");
const [TXN_5 = ""] = [...genuine.world.rows("payment-transactions").keys()].filter((each) =>
  each.startsWith("txn-5\n"),
);

const SUBJECTS: readonly [LogicalTableName, string][] = [
  ["PaymentLedger", "pay-5"],
  ["PaymentLedger", "pay-3"],
  ["PaymentLedger", "pay-91"],
  ["PaymentAuditTrail", WRITE_5],
  ["payment-audit-trail", "msg-5"],
  ["payment-transactions", TXN_5],
];

/**
 * Every attribute of a table is tried with the first record that has it. The table's other records are tried with a few
 * of those, drawn anew each day; the seed is in the names of the tests.
 */
const SEED = Math.floor(Date.now() / 86_400_000);
const SAMPLED = 3;

function firstRecordOf(table: LogicalTableName): Item {
  const [, keyText = ""] = SUBJECTS.find(([each]) => each === table) ?? [];
  return genuine.world.rows(table).get(keyText) as Item;
}

function sampled(names: readonly string[]): string[] {
  const length = Math.min(SAMPLED, names.length);
  const samples = fc.sample(fc.shuffledSubarray([...names], { minLength: length, maxLength: length }), {
    numRuns: 1,
    seed: SEED,
  });
  return samples.flat();
}

describe.each(SUBJECTS)(`of %s %s (seed ${SEED})`, (table, keyText) => {
  const item = genuine.world.rows(table).get(keyText) as Item;
  const keys = keyTextOf(table, item).split("\n");
  const names = Object.keys(item);
  const isKey = (name: string) => keys.includes(Object.values(item[name] as Record<string, string>)[0] ?? "");
  // Another key is another record: see below. A later version of a payment is one that was never sealed.
  const changeable = names.filter((name) => !isKey(name) && name !== "Version");

  const first = firstRecordOf(table);
  const onlyHere = changeable.filter((name) => item === first || !(name in first));
  const attributes = [...onlyHere, ...sampled(changeable.filter((name) => !onlyHere.includes(name)))];

  test.each(attributes)("%s changed", async (name) => {
    const changed = draft();
    changed.changeItem(table, keyText, (own) => ({ ...own, [name]: changedValue(own[name] as object) }));
    found(await changed.verify(), "altered", "RECORD_ALTERED", keyText);
  });

  test.each(attributes)("%s removed", async (name) => {
    const changed = draft();
    changed.changeItem(table, keyText, ({ [name]: _removed, ...own }) => own);
    found(await changed.verify(), "altered", "RECORD_ALTERED", keyText);
  });

  test("an attribute added", async () => {
    const changed = draft();
    changed.changeItem(table, keyText, (own) => ({ ...own, Note: { S: "approved" } }));
    found(await changed.verify(), "altered", "RECORD_ALTERED", keyText);
  });

  test("an attribute as another type", async () => {
    const changed = draft();
    changed.changeItem(table, keyText, (own) => ({ ...own, ContentMac: { N: "1" }, Mac: { S: "x" } }));
    found(await changed.verify(), "altered", "RECORD_ALTERED", keyText);
  });

  test("another salt with the same text, which would fit another commitment", async () => {
    const changed = draft();
    changed.changeItem(table, keyText, (own) => ({ ...own, Salt: { S: (own["Salt"] as { B: string }).B } }));
    found(await changed.verify(), "altered", "RECORD_ALTERED", keyText);
  });

  test("the content of another record under its key", async () => {
    const changed = draft();
    const [other = ""] = [...genuine.world.rows(table).keys()].filter((each) => each !== keyText);
    const content = genuine.world.rows(table).get(other) as Item;
    const own = Object.fromEntries(names.filter(isKey).map((name) => [name, item[name] as object]));
    changed.changeItem(table, keyText, () => ({ ...content, ...own }));
    const report = await changed.verify();
    expect(report.findings.filter((each) => each.key?.join("\n") === keyText)).not.toEqual([]);
    expect(["altered", "missing"]).toContain(report.verdict);
  });

  test("the line twice", async () => {
    const changed = draft();
    changed.changeLines(table, (lines) => [...lines, lineOf({ Item: item })]);
    const report = await changed.verify();
    found(report, "repeated", "REPEATED_RECORD", keyText);
    expect(report.verdict).toBe("repeated");
  });

  test("an attribute twice in its line, so that readers may differ", async () => {
    const changed = draft();
    const [name = ""] = changeable;
    changed.changeLines(table, (lines) =>
      lines.map((line) => {
        if (line !== lineOf({ Item: item })) return line;
        return line.replace(`"${name}":`, `"${name}":${JSON.stringify(changedValue(item[name] as object))},"${name}":`);
      }),
    );
    found(await changed.verify(), "altered", "BAD_RECORD");
  });

  test("white space in its line changes nothing", async () => {
    const changed = draft();
    changed.changeLines(table, (lines) =>
      lines.map((line) =>
        line === lineOf({ Item: item }) ? JSON.stringify(JSON.parse(line), undefined, 1).replaceAll("\n", "") : line,
      ),
    );
    expect((await changed.verify()).verdict).toBe("ok");
  });
});

function lineOf(value: object): string {
  return JSON.stringify(value);
}

function changedValue(value: object): object {
  const [[type = "S", own] = []] = Object.entries(value);
  if (type === "M") return { M: { ...(own as object), RequestID: { S: "another" } } };
  if (type === "N") return { N: String(Number(own) + 1) };
  if (type === "B") return { B: `${String(own).startsWith("A") ? "B" : "A"}${String(own).slice(1)}` };
  return { S: `${String(own)}x` };
}

describe("records that come and go", () => {
  test.each(SUBJECTS.filter(([, keyText]) => keyText !== "pay-91"))("%s %s dropped", async (table, keyText) => {
    const changed = draft();
    changed.changeItem(table, keyText, () => undefined);
    const report = await changed.verify();
    found(report, "missing", "RECORD_MISSING", keyText);
    expect(report.verdict).toBe("missing");
  });

  test("one written just before the export dropped: its WRITE record stands alone", async () => {
    const changed = draft();
    changed.changeItem("PaymentLedger", "pay-91", () => undefined);
    const id = derivedAuditId("WRITE", "PaymentLedger", "pay-91");
    const report = await changed.verify();
    found(report, "missing", "ROW_MISSING", id);
    expect(report.findings).toHaveLength(1);
    expect(report.findings[0]?.message).toContain("PaymentLedger pay-91");
  });

  test("its WRITE record dropped: the row stands alone", async () => {
    const changed = draft();
    const id = derivedAuditId("WRITE", "PaymentLedger", "pay-91");
    changed.changeItem("PaymentAuditTrail", id, () => undefined);
    const report = await changed.verify();
    found(report, "missing", "WRITE_RECORD_MISSING", "pay-91");
    expect(report.counts.pairs).toBe(172);
  });

  test.each(["yesterday", ""])(
    "a row without WRITE record is found although its time, %j, cannot be read",
    async (time) => {
      const changed = draft();
      const row = { ...paymentRow("pay-x", "2025-11-21T10:00:09.000Z"), RecordedAt: { S: time } };
      changed.changeLines("PaymentLedger", (lines) => [...lines, lineOf({ Item: row })]);
      found(await changed.verify(), "missing", "WRITE_RECORD_MISSING", "pay-x");
    },
  );

  test("all records of a table dropped: some are named, all are counted", async () => {
    const changed = draft();
    changed.changeLines("PaymentAuditTrail", () => []);
    const report = await changed.verify({ namedMax: 5 });
    expect(report.verdict).toBe("missing");
    for (const each of ["RECORD_MISSING", "WRITE_RECORD_MISSING"])
      expect(report.findings.filter(({ code }) => code === each)).toHaveLength(5);
    // 191 sealed before the cut, and 173 rows without their WRITE record.
    expect(report.further.missing).toBe(191 + 173 - 10);
  });

  test("a payment with another key: one is missing, one was never sealed", async () => {
    const changed = draft();
    changed.changeItem("PaymentLedger", "pay-5", (own) => ({ ...own, TransactionID: { S: "pay-5000" } }));
    const report = await changed.verify();
    found(report, "missing", "RECORD_MISSING", "pay-5");
    found(report, "unsealed", "RECORD_UNSEALED", "pay-5000");
  });

  test("a payment made up: the finding holds what a sweep needs", async () => {
    const changed = draft();
    const row = paymentRow("pay-x", "2025-11-21T10:00:09.000Z");
    changed.changeLines("PaymentLedger", (lines) => [...lines, lineOf({ Item: row })]);
    changed.changeLines("PaymentAuditTrail", (lines) => [
      ...lines,
      lineOf({ Item: writeRecord("PaymentLedger", "pay-x", "2025-11-21T10:00:09.000Z") }),
    ]);
    const report = await changed.verify();
    expect(report.verdict).toBe("unsealed");
    expect(report.findings).toHaveLength(2);
    expect(report.findings).toContainEqual(
      expect.objectContaining({
        key: ["pay-x"],
        item: row,
        lastCommitment: "",
        recordedAt: "2025-11-21T10:00:09.000Z",
      }),
    );
  });

  test("and however young it says it is, once the log goes on after the export", async () => {
    const changed = draft();
    const row = messageRow("msg-x", genuine.built.takenAt);
    changed.changeLines("payment-audit-trail", (lines) => [...lines, lineOf({ Item: row })]);
    const report = await changed.verify({ settleMs: 2000 });
    found(report, "unsealed", "RECORD_UNSEALED", "msg-x");
  });

  test("a version that was never sealed", async () => {
    const changed = draft();
    changed.changeItem("PaymentLedger", "pay-5", (own) => ({ ...own, Version: { N: "2" } }));
    const report = await changed.verify();
    found(report, "unsealed", "RECORD_UNSEALED", "pay-5");
    expect(report.findings[0]?.lastCommitment).toMatch(/^[\w-]{43}$/);
  });

  test("a version taken back", async () => {
    const changed = draft();
    changed.changeItem("PaymentLedger", "pay-41", () => paymentRow("pay-41", genuineTime("pay-41")));
    const report = await changed.verify();
    found(report, "altered", "ROLLED_BACK", "pay-41");
    expect(report.findings).toHaveLength(1);
  });

  test("two payments whose contents were swapped", async () => {
    const changed = draft();
    const [five, six] = ["pay-5", "pay-6"].map((id) => genuine.world.rows("PaymentLedger").get(id) as Item);
    changed.changeItem("PaymentLedger", "pay-5", (own) => ({
      ...(six as Item),
      TransactionID: own["TransactionID"] as object,
    }));
    changed.changeItem("PaymentLedger", "pay-6", (own) => ({
      ...(five as Item),
      TransactionID: own["TransactionID"] as object,
    }));
    const report = await changed.verify();
    found(report, "altered", "RECORD_ALTERED", "pay-5");
    found(report, "altered", "RECORD_ALTERED", "pay-6");
  });

  test("a second row for one transaction id", async () => {
    const changed = draft();
    const row = genuine.world.rows("payment-transactions").get(TXN_5) as Item;
    const other = { ...row, timestamp: { N: "1" }, Mac: { B: someBytes("other", 41) } };
    changed.changeLines("payment-transactions", (lines) => [...lines, lineOf({ Item: other })]);
    const report = await changed.verify();
    found(report, "unsealed", "RECORD_UNSEALED", "txn-5\n1");
    found(report, "repeated", "REPEATED_RECORD");
  });
});

/** When the world recorded it. */
function genuineTime(id: string): string {
  return (genuine.world.rows("PaymentLedger").get(id) as { RecordedAt: { S: string } }).RecordedAt.S;
}

describe("files of an export", () => {
  const data = "exports/PaymentLedger/AWSDynamoDB/";
  const pathOf = (changed: Draft, name: RegExp) =>
    [...changed.exports.keys()].find((path) => path.startsWith(data) && name.test(path)) ?? "";
  const part = /part0\.json\.gz$/;

  const damages: readonly [string, Verdict, FindingCode, (changed: Draft) => void][] = [
    ["is missing", "incomplete", "SOURCE_DAMAGED", (changed) => changed.exports.delete(pathOf(changed, part))],
    [
      "is truncated",
      "incomplete",
      "SOURCE_DAMAGED",
      (changed) => {
        const bytes = changed.exports.get(pathOf(changed, part)) as Buffer;
        changed.exports.set(pathOf(changed, part), bytes.subarray(0, bytes.length - 40));
      },
    ],
    [
      "is empty",
      "incomplete",
      "SOURCE_DAMAGED",
      (changed) => changed.exports.set(pathOf(changed, part), Buffer.alloc(0)),
    ],
    [
      "has a flipped byte in its gzip data",
      "incomplete",
      "SOURCE_DAMAGED",
      (changed) => {
        const bytes = Buffer.from(changed.exports.get(pathOf(changed, part)) as Buffer);
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0x20;
        changed.exports.set(pathOf(changed, part), bytes);
      },
    ],
    [
      "is no gzip",
      "incomplete",
      "SOURCE_DAMAGED",
      (changed) => changed.exports.set(pathOf(changed, part), Buffer.from("plain text, a line\n")),
    ],
    [
      "lost its last line, and its manifest was not changed",
      "missing",
      "RECORD_MISSING",
      (changed) => changed.setLines(pathOf(changed, part), changed.linesOf(pathOf(changed, part)).slice(0, -1)),
    ],
    [
      "was packed again with the same lines",
      "incomplete",
      "SOURCE_DAMAGED",
      (changed) => {
        const lines = changed.linesOf(pathOf(changed, part));
        changed.exports.set(pathOf(changed, part), gzipSync(lines.map((line) => `${line}\n`).join(""), { level: 1 }));
      },
    ],
    [
      "has a line that is no JSON",
      "altered",
      "BAD_RECORD",
      (changed) =>
        changed.changeLines("PaymentLedger", ([first = "", ...lines]) => [`${first.slice(0, -3)}}}`, ...lines]),
    ],
    [
      "has a line that is no item",
      "incomplete",
      "SOURCE_DAMAGED",
      (changed) => changed.changeLines("PaymentLedger", ([, ...lines]) => ['{"Thing":{}}', ...lines]),
    ],
    [
      "has a line that is not UTF-8",
      "incomplete",
      "SOURCE_DAMAGED",
      (changed) => {
        const path = pathOf(changed, part);
        const [first = "", ...lines] = changed.linesOf(path);
        const bytes = Buffer.concat([
          Buffer.from(first.slice(0, 60)),
          Buffer.from([0xff]),
          Buffer.from(`${first.slice(61)}\n`),
        ]);
        changed.exports.set(
          path,
          gzipSync(Buffer.concat([bytes, Buffer.from(lines.map((line) => `${line}\n`).join(""))])),
        );
        changed.rewriteManifests(path);
      },
    ],
    [
      "is that of another table",
      "missing",
      "RECORD_MISSING",
      (changed) => {
        const other = [...changed.exports.keys()].find(
          (path) => path.includes("/payment-audit-trail/") && part.test(path),
        );
        changed.exports.set(pathOf(changed, part), changed.exports.get(other ?? "") as Buffer);
        changed.rewriteManifests(pathOf(changed, part));
      },
    ],
  ];

  test.each(damages)("one %s: %s", async (_name, verdict, code, damage) => {
    const changed = draft();
    damage(changed);
    found(await changed.verify(), verdict, code);
  });

  const manifests: readonly [string, RegExp, (text: string) => string | undefined][] = [
    ["the summary is missing", /manifest-summary\.json$/, () => undefined],
    ["the list of files is missing", /manifest-files\.json$/, () => undefined],
    ["the summary is no JSON", /manifest-summary\.json$/, (text) => text.slice(1)],
    [
      "the summary counts more items",
      /manifest-summary\.json$/,
      (text) => text.replace(/"itemCount":(\d+)/, '"itemCount":1$1'),
    ],
    ["the summary does not say when", /manifest-summary\.json$/, (text) => text.replace("exportTime", "exportTame")],
    [
      "the summary is of another table",
      /manifest-summary\.json$/,
      (text) => text.replaceAll("table/PaymentLedger-dev", "table/Other"),
    ],
    ["the list of files is not as its checksum", /manifest-files\.json$/, (text) => text.replace("x-1", "x-2")],
    ["a checksum is missing", /manifest-files\.md5$/, () => undefined],
    ["the list lacks a file", /manifest-files\.json$/, (text) => `${text.split("\n")[0]}\n`],
    ["the list names a file twice", /manifest-files\.json$/, (text) => `${text}${text}`],
    [
      "the list leads out of the folder",
      /manifest-files\.json$/,
      (text) => text.replace("AWSDynamoDB/", "AWSDynamoDB/../../"),
    ],
  ];

  test.each(manifests)("%s: incomplete at best", async (_name, path, change) => {
    const changed = draft();
    const name = pathOf(changed, path);
    const text = change(changed.exports.get(name)?.toString() ?? "");
    if (text === undefined) changed.exports.delete(name);
    else changed.exports.set(name, Buffer.from(text));
    const report = await changed.verify();
    expect(report.verdicts).toContain("incomplete");
  });

  test("an export made to look older covers nothing that it says it covers", async () => {
    const changed = draft();
    for (const path of changed.exports.keys()) {
      if (!path.endsWith("manifest-summary.json")) continue;
      const text = (changed.exports.get(path) ?? "")
        .toString()
        .replace(/"exportTime":"[^"]+"/, '"exportTime":"2025-11-20T10:00:00.000Z"');
      changed.exports.set(path, Buffer.from(text));
      changed.exports.set(path.replace(".json", ".md5"), Buffer.from(md5Of(text)));
    }
    found(await changed.verify(), "incomplete", "SOURCE_OLDER_THAN_LOG");
  });
});

test("an export made to look older, with records dropped that were written since: what is left gives it away", async () => {
  const changed = draft();
  const later = paymentRow("pay-later", "2025-11-21T11:00:00.000Z");
  changed.changeLines("PaymentLedger", (lines) => [...lines, lineOf({ Item: later })]);
  const report = await changed.verify();
  found(report, "incomplete", "SOURCE_NEWER_THAN_SAID");
  const message = report.findings.find(({ code }) => code === "SOURCE_NEWER_THAN_SAID")?.message;
  expect(message).toContain("1 of its records were written later, the last at 2025-11-21T11:00:00.000Z");
});

describe("increments", () => {
  const change = (edit: (line: Record<string, Record<string, object>>) => void) => {
    const changed = new Draft(incremental.built);
    const path =
      [...changed.exports.keys()].find((each) => each.includes("/PaymentLedger/") && /inc.*part0/.test(each)) ?? "";
    const lines = changed.linesOf(path).map((line) => {
      const parsed = JSON.parse(line);
      if (JSON.stringify(parsed.Keys).includes("pay-20")) edit(parsed);
      return JSON.stringify(parsed);
    });
    changed.setLines(
      path,
      lines.filter((line) => line !== "{}"),
    );
    changed.rewriteManifests(path);
    return changed;
  };

  test("a new image altered", async () => {
    const changed = change((line) => Object.assign(line["NewImage"] as object, { Amount: { S: "1.00" } }));
    found(await changed.verify(), "altered", "RECORD_ALTERED", "pay-20");
  });

  test("an old image altered: the exports contradict each other", async () => {
    const changed = change((line) => Object.assign(line["OldImage"] as object, { Amount: { S: "1.00" } }));
    found(await changed.verify(), "altered", "SOURCE_CONTRADICTS", "pay-20");
  });

  test("an old image left out", async () => {
    const changed = change((line) => delete line["OldImage"]);
    found(await changed.verify(), "repeated", "REPEATED_RECORD", "pay-20");
  });

  test("a new image left out: removed", async () => {
    const changed = change((line) => delete line["NewImage"]);
    found(await changed.verify(), "missing", "RECORD_MISSING", "pay-20");
  });

  test("a line left out: an older version is current", async () => {
    const changed = change((line) => {
      for (const name of Object.keys(line)) delete line[name];
    });
    found(await changed.verify(), "altered", "ROLLED_BACK", "pay-20");
  });

  test("keys that are not those of the images", async () => {
    const changed = change((line) => Object.assign(line["Keys"] as object, { TransactionID: { S: "pay-21" } }));
    found(await changed.verify(), "incomplete", "SOURCE_DAMAGED");
  });

  test("a window missing between the exports", async () => {
    const changed = change(() => {});
    for (const path of changed.exports.keys()) {
      if (!path.includes("inc") || !path.endsWith("manifest-summary.json")) continue;
      const text = (changed.exports.get(path) ?? "")
        .toString()
        .replace(/"exportFromTime":"2025-11-21T10:0./, '"exportFromTime":"2025-11-21T10:5');
      changed.exports.set(path, Buffer.from(text));
    }
    found(await changed.verify(), "incomplete", "SOURCE_PROBLEM");
  });
});
