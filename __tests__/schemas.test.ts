/** The published schemas are what the code generates, judge as the code judges, and fit every example of docs/api.md. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Ajv2020, { type ValidateFunction } from "ajv/dist/2020";
import fc from "fast-check";
import { exportTables } from "../backup/export-operation";
import { API_FUNCTIONS, FUNCTIONS, QUEUES } from "../contract";
import { type BadRow, FileProgress, type FileReport } from "../ledger/files/progress";
import { readRows } from "../ledger/files/rows";
import { runPaymentProcessor } from "../ledger/operations/payment-processor";
import { queueMessages, queueResponse } from "../ledger/operations/queue";
import { parseEntries } from "../ledger/rules/entries";
import { parsePayment } from "../ledger/rules/payment";
import { isPaymentEvent, parseFact } from "../ledger/rules/payment-event";
import { encodePageToken } from "../ledger/rules/queries";
import { REFUSAL_CODES, type RefusalCode, refusal } from "../ledger/rules/refusals";
import { parseTransaction } from "../ledger/rules/transaction";
import { OPENAPI_FILE } from "../tools/openapi";
import {
  privateApiDocument,
  publishedSchemas,
  SCHEMAS_FOLDER,
  SCHEMAS_INDEX,
  schemaIndex,
} from "../tools/write-schemas";
import { aTransaction, ALL_WAYS_IN as WAYS_IN } from "./ledger/rules/arriving-ways-in";
import { BUCKET, stubCall, stubFiles, stubServices } from "./ledger/rules/stub-services";
import { anEvent, aPayment, type Input, NOW, without } from "./support/ledger-fixtures";
import { PROJECT } from "./support/project-files";

const ajv = new Ajv2020({ strict: true });
const validators = new Map<string, ValidateFunction>(
  [...publishedSchemas()].map(([file, text]) => [file.replace(/\.json$/, ""), ajv.compile(JSON.parse(text))]),
);

function fits(name: string, document: unknown): boolean {
  const validate = validators.get(name);
  if (validate === undefined) throw new Error(`No schema is published for ${name}.`);
  return validate(document);
}

test("a code that a later version adds fits the schemas of answers and of bad rows, a text that is no code does not", () => {
  const refused = { schemaVersion: 1, outcome: "refused", message: "Something is wrong.", AuditID: "X~1" };
  const row = { row: 1, outcome: "refused" };
  for (const [name, document] of [
    ["persist_payment_ledger.response", refused],
    ["payment-files.bad-row", row],
  ] as const) {
    expect([name, fits(name, { ...document, code: REFUSAL_CODES[0] })]).toEqual([name, true]);
    expect([name, fits(name, { ...document, code: "ADDED_LATER" })]).toEqual([name, true]);
    expect([name, fits(name, { ...document, code: "not a code" })]).toEqual([name, false]);
  }
});

describe("the committed files", () => {
  /** What events and answers only carry as text, and what functions write for others. */
  const carried = [
    ...Object.values(QUEUES).map(({ name }) => `${name}.message.json`),
    ...["row", "report", "bad-row"].map((kind) => `payment-files.${kind}.json`),
    `${FUNCTIONS.paymentProcessor.name}.body.json`,
  ];

  test("are one request and one answer for each function, one message for each queue, the files' rows and reports, the private API, and nothing else", () => {
    const ofFunctions = Object.values(FUNCTIONS).flatMap(({ name }) => [
      `${name}.request.json`,
      `${name}.response.json`,
    ]);
    expect(readdirSync(SCHEMAS_FOLDER).sort()).toEqual([...ofFunctions, ...carried, OPENAPI_FILE].sort());
  });

  test.each([...publishedSchemas()])("%s is what the code generates (else: npm run schemas)", (file, text) => {
    expect(readFileSync(join(SCHEMAS_FOLDER, file), "utf8")).toBe(text);
  });

  test("the index lists all of them (else: npm run schemas)", () => {
    expect(readFileSync(SCHEMAS_INDEX, "utf8")).toBe(schemaIndex());
    for (const file of readdirSync(SCHEMAS_FOLDER)) expect(schemaIndex()).toContain(`(v1/${file})`);
  });

  test.each([...publishedSchemas()])("%s names itself without a host, and its draft", (file, text) => {
    const [functionName, side] = file.split(".");
    expect(JSON.parse(text)).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      $id: `urn:payment-ledger:v1:${functionName}:${side}`,
      title: expect.any(String),
    });
  });
});

describe("the OpenAPI document of the private API", () => {
  interface Operation {
    readonly operationId: string;
    readonly requestBody: { readonly content: Record<string, { readonly schema: unknown }> };
    readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: unknown }> }>;
  }
  const file = join(SCHEMAS_FOLDER, OPENAPI_FILE);
  const document = JSON.parse(readFileSync(file, "utf8")) as {
    readonly paths: Record<string, { readonly post: Operation }>;
    readonly security: unknown;
  };
  const operations = Object.entries(document.paths);

  /** With every reference replaced by what it refers to. */
  function inlined(schema: unknown, root: unknown): unknown {
    if (Array.isArray(schema)) return schema.map((each) => inlined(each, root));
    if (typeof schema !== "object" || schema === null) return schema;
    const { $ref, $defs, $schema, $id, ...rest } = schema as Record<string, unknown>;
    if (typeof $ref === "string") {
      const steps = $ref.split("/").slice(1);
      const found = steps.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], root);
      return inlined(found, root);
    }
    return Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, inlined(value, root)]));
  }

  test("is what the code generates (else: npm run schemas)", () => {
    expect(readFileSync(file, "utf8")).toBe(privateApiDocument());
  });

  test("is valid OpenAPI 3.1, and an invalid one is not", () => {
    const validator = join(PROJECT, "node_modules/@seriousme/openapi-schema-validator/bin/validate-api-cli.js");
    const folder = mkdtempSync(join(tmpdir(), "payment-ledger-openapi-"));
    const broken = join(folder, "broken.json");
    writeFileSync(
      broken,
      readFileSync(file, "utf8").replace('"operationId"', '"operation_id"').replace('"paths"', '"ways"'),
    );
    const validate = (path: string) => spawnSync(process.execPath, [validator, path], { encoding: "utf8" });
    expect(validate(file)).toMatchObject({ status: 0, stdout: expect.stringContaining('"valid": true') });
    expect(validate(broken).status).not.toBe(0);
    rmSync(folder, { recursive: true });
  });

  test("has one signed POST for each function of the API, and no other", () => {
    expect(operations.map(([path, item]) => [path, Object.keys(item)])).toEqual(
      API_FUNCTIONS.map((id) => [`/${FUNCTIONS[id].name}`, ["post"]]),
    );
    expect(document.security).toEqual([{ sigv4: [] }]);
  });

  test.each(operations)("%s takes and answers what the function's published schemas say", (_, { post }) => {
    const published = (side: string) => {
      const schema = JSON.parse(readFileSync(join(SCHEMAS_FOLDER, `${post.operationId}.${side}.json`), "utf8"));
      return inlined(schema, schema) as { anyOf?: unknown[] };
    };
    const json = (content?: Record<string, { readonly schema: unknown }>) =>
      inlined(content?.["application/json"]?.schema, document);
    const taken = json(post.requestBody.content) as { anyOf?: unknown[] };
    if (post.operationId === "persist_payment_audit_trail") {
      // A request of the API is no event of a queue.
      expect(published("request").anyOf).toHaveLength((taken.anyOf ?? []).length + 1);
      expect(published("request").anyOf).toEqual(expect.arrayContaining(taken.anyOf ?? []));
    } else {
      expect(taken).toEqual(published("request"));
      expect(json(post.responses["200"]?.content)).toEqual(published("response"));
    }
    for (const status of ["400", "403", "404", "409", "500", "503"]) {
      expect(json(post.responses[status]?.content)).toEqual(json(post.responses["200"]?.content));
    }
  });
});

/** Refusals that a way in may give after its schema; a description in the schema states each of these rules. */
const BEYOND_SCHEMA = new Set<RefusalCode>([
  // Of an amount that is a number: its exponent.
  "INVALID_AMOUNT",
  "AMOUNT_DECIMALS",
  "INVALID_TIMESTAMP",
  "TIMESTAMP_OUT_OF_RANGE",
  "INVALID_SECURE_TOKEN",
  "INVALID_REASON",
  "INVALID_DETAILS",
  "VOCABULARY_CONFLICT",
  "RANGE_TOO_LONG",
  "INVALID_PAGE_TOKEN",
  "INVALID_METADATA",
  // Of an event: which modes a kind has, and which events it may name.
  "INVALID_MODE",
  "INVALID_OF",
  "MISSING_FIELD",
  "AMOUNT_IS_ZERO",
]);

describe.each(WAYS_IN.map((wayIn) => [wayIn.schema, wayIn] as const))("the schema %s", (schema, wayIn) => {
  const fitsHere = (input: unknown) => fits(schema, wayIn.around === undefined ? input : wayIn.around(input));
  /** Refusals that this way in, by its examples, may give after its schema. */
  const beyond = new Set(wayIn.refused.filter(({ beyondSchema }) => beyondSchema).map(({ code }) => code));

  test("takes what the function takes", () => {
    for (const input of wayIn.accepted) expect([input, fitsHere(input)]).toEqual([input, true]);
  });

  const inSchema = wayIn.refused.filter(({ beyondSchema }) => !beyondSchema);
  test.each(inSchema.map(({ why, code, input }) => [why, code, input] as const))(
    "refuses what the function refuses: %s (%s)",
    (_why, _code, input) => {
      expect(fitsHere(input)).toBe(false);
    },
  );

  test("takes what only the function can refuse, by rules that the schema's descriptions state", () => {
    for (const { why, code, input, beyondSchema } of wayIn.refused) {
      if (!beyondSchema) continue;
      expect([why, fitsHere(input)]).toEqual([why, true]);
      expect(BEYOND_SCHEMA).toContain(code);
    }
  });

  test("property: schema and function agree on any mixture of good and bad fields", () => {
    const all = [...wayIn.accepted, ...wayIn.refused.map(({ input }) => input)].filter(isObject);
    const fields = all.flatMap((input) => Object.entries(input));
    const mixtures = fc
      .tuple(
        fc.constantFrom(...wayIn.accepted),
        fc.array(fc.constantFrom(...fields), { maxLength: 2 }),
        fc.option(fc.nat()),
      )
      .map(([base, changes, dropped]) => mixed(base, changes, dropped));
    fc.assert(
      fc.property(mixtures, (input) => {
        const result = wayIn.parse(input);
        if (result.ok) expect(fitsHere(input)).toBe(true);
        else if (fitsHere(input)) expect(beyond).toContain(result.refusal.code);
      }),
      { numRuns: 500 },
    );
  });
});

function isObject(input: unknown): input is Input {
  return typeof input === "object" && input !== null && !Array.isArray(input);
}

function mixed(base: Input, changes: readonly [string, unknown][], dropped: number | null): Input {
  const input = Object.fromEntries([...Object.entries(base), ...changes]);
  const names = Object.keys(input);
  return dropped === null ? input : without(input, names[dropped % names.length] ?? "");
}

describe("lists", () => {
  const many = (count: number, entry: Input) => Array.from({ length: count }, () => entry);
  const nameless = without(aPayment(), "Actor");
  const namelessEvent = without(anEvent(), "Actor");

  /** Whether the function would take the whole call and every entry of it. */
  const isTaken = (event: unknown): boolean => {
    const parsed = parseEntries(event, "payments");
    return "entries" in parsed && parsed.entries.every((entry) => parsePayment(entry, NOW, parsed.actor).ok);
  };

  test.each<[string, unknown, boolean]>([
    ["a list", [aPayment(), aPayment()], true],
    ["a wrapped list of payments that name their actors", { payments: [aPayment()] }, true],
    ["a wrapped list with its actor", { payments: [nameless, aPayment()], Actor: "importer" }, true],
    ["500 payments", many(500, aPayment()), true],
    ["501 payments", many(501, aPayment()), false],
    ["501 wrapped payments", { payments: many(501, aPayment()) }, false],
    ["an empty list", [], false],
    ["an empty wrapped list", { payments: [] }, false],
    ["a payment that names no actor", nameless, false],
    ["a list in which one names no actor", [aPayment(), nameless], false],
    ["a wrapped list in which one names no actor", { payments: [aPayment(), nameless] }, false],
    ["a bad actor around a list", { payments: [aPayment()], Actor: "a b" }, false],
    ["something else around a list", { payments: [aPayment()], Note: "x" }, false],
    ["a list in a list", [[aPayment()]], false],
    ["one bad payment among good ones", [aPayment(), aPayment({ Status: "Pending" })], false],
    ["events sent to the wrong function", { events: [aPayment()] }, false],
  ])("%s: schema and function agree", (_name, event, taken) => {
    expect(isTaken(event)).toBe(taken);
    expect(fits("persist_payment_ledger.request", event)).toBe(taken);
  });

  test.each<[string, unknown, boolean]>([
    ["an event by user_id", { ...namelessEvent, user_id: "support" }, true],
    ["a wrapped list with its actor", { events: [namelessEvent], Actor: "importer" }, true],
    ["an event that names no actor", namelessEvent, false],
    ["a wrapped list that names no actor", { events: [namelessEvent] }, false],
    ["payments sent to the wrong function", { payments: [anEvent()] }, false],
  ])("audit events, %s", (_name, event, taken) => {
    expect(fits("persist_payment_audit_trail.request", event)).toBe(taken);
  });
});

const settings = () => ({ files: stubFiles().files, removeCardDataFiles: true });
const processed = (event: unknown) =>
  runPaymentProcessor(event, stubCall("payment-processor"), stubServices(), settings());
const exported = (event: unknown) =>
  exportTables(event, stubCall("export_tables"), stubServices(), {
    tables: [],
    service: { reach: fail, find: fail, start: fail, status: fail },
    states: { load: fail, save: fail },
    logLine: fail,
  });

function fail(): never {
  throw new Error("Nothing is to be done for no tables.");
}

const queueEvent = (attributes: object = {}) => ({
  Records: [
    {
      messageId: "m-1",
      receiptHandle: "AQEB",
      body: "{}",
      eventSource: "aws:sqs",
      eventSourceARN: "arn:aws:sqs:eu-west-1:111122223333:audit-trail-queue",
      awsRegion: "eu-west-1",
      attributes: {
        SenderId: "AIDAEXAMPLE",
        SentTimestamp: "1795262400000",
        ApproximateReceiveCount: "1",
        ...attributes,
      },
    },
  ],
});
const s3Event = {
  Records: [
    {
      eventVersion: "2.1",
      eventSource: "aws:s3",
      eventName: "ObjectCreated:Put",
      userIdentity: { principalId: "AWS:AROAEXAMPLE:partner" },
      s3: {
        s3SchemaVersion: "1.0",
        bucket: { name: BUCKET, arn: `arn:aws:s3:::${BUCKET}` },
        object: { key: "payments/a+b.csv", size: 7, versionId: "v1" },
      },
    },
  ],
};
const fifo = { SequenceNumber: "18870000000000000256", MessageGroupId: "txn-1", MessageDeduplicationId: "d" };

/** Events that AWS sends, and whether the function handles them. */
interface AwsEvent {
  readonly schema: string;
  readonly event: unknown;
  readonly isTaken: (event: unknown) => Promise<boolean>;
  /** Fields whose values the function judges after the schema; their descriptions say how. */
  readonly judgedLater?: readonly string[];
}

const isOfQueue = async (event: unknown) => queueMessages(event) !== undefined;
const AWS_EVENTS: readonly AwsEvent[] = [
  { schema: "process_payment_messages.request", event: queueEvent(), isTaken: isOfQueue },
  { schema: "persist_payment_audit_trail.request", event: queueEvent(fifo), isTaken: isOfQueue },
  {
    schema: "payment-processor.request",
    event: s3Event,
    isTaken: async (event) => (await processed(event)).statusCode === 200,
    judgedLater: ["name", "key"],
  },
  {
    schema: "export_tables.request",
    event: { kind: "full" },
    isTaken: (event) => exported(event).then(Boolean, () => false),
  },
];

describe.each(AWS_EVENTS)("the events that AWS sends by $schema", ({ schema, event, isTaken, judgedLater = [] }) => {
  test("are taken", async () => {
    expect(fits(schema, event)).toBe(true);
    expect(await isTaken(event)).toBe(true);
  });

  test.each([{}, null, "text", [], { Records: [] }, { Records: {} }, { kind: "all" }])("are not %j", async (other) => {
    expect(fits(schema, other)).toBe(false);
    expect(await isTaken(other)).toBe(false);
  });

  test("are judged alike by schema and function, whichever part is missing or another", async () => {
    for (const path of pathsOf(event)) {
      for (const value of [undefined, null, 7, true, {}, [], "other"]) {
        const changed = withChange(event, path, value);
        const [fitting, taken] = [fits(schema, changed), await isTaken(changed)];
        const isJudgedLater = value === "other" && judgedLater.includes(String(path.at(-1)));
        expect([path, value, fitting]).toEqual([path, value, isJudgedLater || taken]);
      }
    }
  });
});

type Path = readonly (string | number)[];

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  const below = Object.entries(value).flatMap(([key, member]) => pathsOf(member, [...path, key]));
  return path.length === 0 ? below : [path, ...below];
}

/** The document with another value in one place; undefined takes the place away. */
function withChange(document: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value;
  if (Array.isArray(document)) return document.map((element) => withChange(element, rest, value));
  const { [key]: old, ...others } = document as Record<string, unknown>;
  const changed = withChange(old, rest, value);
  return changed === undefined ? others : { ...others, [key]: changed };
}

describe("what is answered and reported", () => {
  test.each<[string, unknown, number]>([
    ["one payment", { payment_data: aTransaction() }, 200],
    ["a list with a refused one", { payment_data: [aTransaction(), aTransaction({ amount: "x" })] }, 400],
    ["no list", { payment_data: [] }, 400],
    ["too long a list", { payment_data: Array(501).fill(aTransaction()) }, 400],
    ["files", s3Event, 200],
    ["nothing that is handled", { other: 1 }, 400],
  ])("the processor's answer to %s fits its schemas", async (_what, event, statusCode) => {
    const answer = await processed(event);
    expect(answer.statusCode).toBe(statusCode);
    expect(fits("payment-processor.response", answer)).toBe(true);
    expect(fits("payment-processor.body", JSON.parse(answer.body))).toBe(true);
    expect(fits("payment-processor.request", event)).toBe(statusCode === 200);
  });

  test("a file's report and its bad rows fit theirs", async () => {
    const { files, objects } = stubFiles();
    const event = { ...s3Event.Records[0], s3: { ...s3Event.Records[0]?.s3, object: { key: "payments/rows" } } };
    objects.set("payments/rows", `${JSON.stringify(aTransaction())}\n{}\n{"cvv":"123"}\n`);
    const services = stubServices();
    const call = stubCall("payment-processor");
    const answer = await runPaymentProcessor({ Records: [event] }, call, services, {
      files,
      removeCardDataFiles: true,
    });
    expect(answer.statusCode).toBe(200);
    const report = JSON.parse(objects.get("reports/payments/rows/unversioned/summary.json") ?? "");
    expect(fits("payment-files.report", report)).toBe(true);
    expect(report).toMatchObject({ rows: 3, counts: { stored: 1, refused: 2 }, removed: true });
    const lines = (objects.get(report.badRows[0]) ?? "").trimEnd().split("\n");
    expect(lines.map((line) => fits("payment-files.bad-row", JSON.parse(line)))).toEqual([true, true]);
  });

  test("the answers to AWS fit theirs", async () => {
    const failed = queueResponse(queueMessages(queueEvent(fifo)) ?? []);
    for (const name of ["process_payment_messages.response", "persist_payment_audit_trail.response"]) {
      expect([fits(name, failed), fits(name, queueResponse([]))]).toEqual([true, true]);
      expect(fits(name, { batchItemFailures: ["m-1"] })).toBe(false);
    }
    expect(fits("export_tables.response", await exported({ kind: "incremental" }))).toBe(true);
  });
});

describe("docs/api.md", () => {
  const page = readFileSync(join(__dirname, "..", "docs", "api.md"), "utf8");
  const examples = [...page.matchAll(/^```json ([a-z_-]+\.[a-z-]+)\n([\s\S]*?)^```$/gm)].map(
    ([, name = "", text = ""]) => [name, JSON.parse(text) as unknown] as const,
  );
  const exampleOf = (name: string) => examples.find(([each]) => each === name)?.[1];

  test("has an example of each schema, and no other", () => {
    expect(new Set(examples.map(([name]) => name))).toEqual(new Set(validators.keys()));
    expect(page.match(/^```json/gm)).toHaveLength(examples.length);
  });

  test.each(examples)("the example of %s fits its schema", (name, document) => {
    expect(fits(name, document)).toBe(true);
  });

  test.each(WAYS_IN.map((wayIn) => [wayIn.schema, wayIn] as const))(
    "the function takes the example of %s",
    (schema, wayIn) => {
      for (const entry of entriesOf(exampleOf(schema))) expect(wayIn.parse(entry)).toMatchObject({ ok: true });
    },
  );

  test("its message examples and its rows in each form are what the text says", async () => {
    for (const [name, document] of examples) {
      if (!name.endsWith(".message") && !name.endsWith(".row")) continue;
      const wayIn = WAYS_IN.find(({ schema }) => schema === name);
      expect(wayIn?.parse(document)).toMatchObject({ ok: true });
    }
    const rows = [];
    for (const [, csv = ""] of page.matchAll(/^```csv\n([\s\S]*?)^```$/gm))
      for await (const row of readRows(textBytes(csv))) {
        const isFact = "value" in row && isPaymentEvent(row.value);
        const parsed = "value" in row ? (isFact ? parseFact : parseTransaction)(row.value, NOW) : row;
        rows.push([isFact, parsed]);
      }
    const taken = expect.objectContaining({ ok: true });
    expect(rows).toEqual([false, false, true, true].map((isFact) => [isFact, taken]));
  });

  test("its report and its continuation are what a file's progress writes", async () => {
    const { files, objects } = stubFiles();
    const report = exampleOf("payment-files.report") as FileReport;
    const version = { key: report.key, ...(report.versionId === undefined ? {} : { versionId: report.versionId }) };
    const progress = FileProgress.start(files, version, report.request);
    const bad = exampleOf("payment-files.bad-row") as BadRow;
    await progress.add({ ...report, badRows: [bad] });
    await progress.report(report.removed);
    expect(JSON.parse(objects.get(progress.summaryKey) ?? "")).toEqual(report);
    expect(page).toContain(progress.summaryKey);
    expect(objects.get(report.badRows[0] ?? "")).toBe(`${JSON.stringify(bad)}\n`);
    await progress.continueLater();
    const continuation = [...objects.keys()].find((key) => key.startsWith("continue/")) ?? "";
    expect(continuation).toMatch(/^continue\/[0-9a-f]{64}\/1\.json$/);
  });

  test("its page token is one that the example's query returns", () => {
    const query = exampleOf("query_payment_ledger.request") as Readonly<Record<string, string | number>>;
    const answer = exampleOf("query_payment_ledger.response") as {
      readonly NextPageToken: string;
      readonly payments: readonly { readonly Timestamp: string; readonly TransactionID: string }[];
    };
    const places = answer.payments.map(({ Timestamp, TransactionID }) => `${Timestamp}#${TransactionID}`);
    expect(answer.NextPageToken).toBe(encodePageToken(query, places.slice(-1)));
  });

  test("lists every refusal code with its text, in the order of the code, and no other", () => {
    const rows = [...page.matchAll(/^\| `([A-Z0-9_]+)` \| (.*) \|$/gm)].map(([, code, text]) => [code, text]);
    expect(rows).toEqual(REFUSAL_CODES.map((code) => [code, refusal(code).message]));
  });

  test("its examples of refusals carry the texts of the code", () => {
    const refusals = examples
      .map(([, document]) => document)
      .filter(isObject)
      .filter(({ code, row }) => code !== undefined && row === undefined);
    expect(refusals.length).toBeGreaterThan(0);
    for (const { code, message } of refusals) expect(message).toBe(refusal(code as RefusalCode).message);
  });
});

/** The payments or events of an example, each with the actor of the request. */
function entriesOf(example: unknown): readonly unknown[] {
  if (isObject(example) && "payment_data" in example) return [example["payment_data"]].flat();
  const parsed = parseEntries(example, isObject(example) && "payments" in example ? "payments" : "events");
  if (!("entries" in parsed)) throw new Error("The example is refused as a whole.");
  const actor = parsed.actor === undefined ? {} : { Actor: parsed.actor };
  return parsed.entries.map((entry) => ({ ...actor, ...(entry as Input) }));
}

async function* textBytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
