/**
 * `npm run schemas`: writes the published JSON Schemas, and the OpenAPI document of the private API, from the code that validates.
 *
 * The rule: every function has a request and an answer. Where AWS itself invokes a function, its request is AWS's event in
 * the parts that the function reads, and its answer what AWS reads of it. What an event or an answer only carries as text
 * (a message, a row, a body), or a function writes for others (a report), has its own schema, named after its carrier.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import type { CheckResponse } from "../backup/check-operation";
import type { ExportResponse } from "../backup/export-operation";
import { CHECK_CODES } from "../backup/findings";
import { FUNCTIONS, QUEUES } from "../contract";
import type { ProcessorResponse } from "../ledger/operations/payment-processor";
import { auditEventSchema } from "../ledger/rules/audit-event";
import { ENTRIES_MAX, requestSchema } from "../ledger/rules/entries";
import { paymentSchema } from "../ledger/rules/payment";
import { auditQuerySchema, ledgerQuerySchema, revealSchema, transactionQuerySchema } from "../ledger/rules/queries";
import {
  auditQueryResponseSchema,
  ledgerQueryResponseSchema,
  persistAnswerSchema,
  revealResponseSchema,
} from "../ledger/rules/responses";
import { SCHEMA_VERSION } from "../ledger/rules/schema";
import { transactionSchema } from "../ledger/rules/transaction";
import { transactionsResponseSchema } from "../ledger/rules/transaction-responses";
import {
  badRow,
  DECIMALS_RULE,
  EXACT_METADATA,
  fileReport,
  fileRow,
  outcomeCounts,
  queuedMessage,
} from "./arrival-schemas";
import { EVENT_FUNCTIONS } from "./event-schemas";
import { LOG_FUNCTIONS } from "./log-schemas";
import { OPENAPI_FILE, openApiDocument } from "./openapi";
import { published, type Side } from "./published-schema";
import { importOfMessages, queueAnswer, queueEvent } from "./queue-schemas";

export const SCHEMAS_FOLDER = join(__dirname, "..", "schemas", `v${SCHEMA_VERSION}`);
export const SCHEMAS_INDEX = join(SCHEMAS_FOLDER, "..", "README.md");

const EACH_BY_ITSELF =
  "One entry, a list, or a list with its actor around it. A function judges each entry by itself: one that does not match is refused alone, and the others are recorded.";

// ------------------------------------------------------------------------------------------------ what AWS sends and reads

const s3Event = z
  .object({
    Records: z
      .array(
        z.object({
          eventSource: z.literal("aws:s3"),
          eventName: z.string().regex(/^ObjectCreated:/),
          userIdentity: z
            .object({ principalId: z.string().describe("Who AWS says put the file there; stored in its records.") })
            .optional(),
          s3: z.object({
            bucket: z.object({ name: z.string().describe("The function's own bucket, and no other.") }),
            object: z.object({
              key: z.string().describe("Encoded as in a URL's query; decoded it begins with payments/ or continue/."),
              versionId: z.string().optional().describe("Exactly this version is read."),
            }),
          }),
        }),
      )
      .min(1),
  })
  .meta({ id: "s3-event", description: "New objects as S3 reports them, in the parts that are read." });

const exportRequest = z
  .strictObject({
    kind: z.enum(["incremental", "full"]).describe("What changed since the last window, or everything."),
  })
  .meta({ title: "Export of the tables", description: "What the schedules send. Anything else is an error." });

const count = z.int().min(0);
const exportAnswer = z
  .strictObject({
    outcome: z.literal("exported"),
    tables: z.array(
      z.strictObject({
        table: z.string(),
        exportedUntil: z.string().describe("End of the last window that is exported or under way."),
        started: count,
        running: count,
        repeated: count.describe("Exports that failed at AWS and were started again."),
        lost: count.describe("Stretches that can never be exported any more; a full export takes their place."),
      }),
    ),
  })
  .meta({ title: "Answer of export_tables" }) satisfies z.ZodType<ExportResponse>;

const anyRequest = z
  .unknown()
  .meta({ title: "Check of the backups", description: "Nothing of the request is read: each run checks all tables." });

const verdict = z.enum(["good", "faulty", "incomplete"]);
const checkAnswer = z
  .strictObject({
    outcome: verdict,
    report: z.string().describe("Key of the report in the export bucket."),
    tables: z.array(z.strictObject({ table: z.string(), verdict, codes: z.array(z.enum(CHECK_CODES)) })),
  })
  .meta({ title: "Answer of check_backup" }) satisfies z.ZodType<CheckResponse>;

// ----------------------------------------------------------------------------------------------- payments and their files

const directPayments = z.strictObject({
  payment_data: z.union([transactionSchema, z.array(transactionSchema).min(1).max(ENTRIES_MAX)]),
});

const processorAnswer = z
  .strictObject({
    statusCode: z
      .union([z.literal(200), z.literal(400), z.literal(409)])
      .describe("400: something was refused. 409: nothing was refused, something conflicts."),
    body: z.string().meta({ contentMediaType: "application/json", description: "JSON text of the body schema." }),
  })
  .meta({ title: "Answer of payment-processor" }) satisfies z.ZodType<ProcessorResponse>;

const [results, refusedCall] = persistAnswerSchema.options;
const processorBody = z
  .union([
    z.strictObject({
      message: z.string(),
      files: z.array(
        z.strictObject({
          finished: z.boolean().describe("false: the file goes on in another run."),
          counts: outcomeCounts,
        }),
      ),
    }),
    z.strictObject({ message: z.string(), timestamp: z.string(), ...results.shape }),
    z.strictObject({ ...refusedCall.shape, error: z.string().optional() }),
  ])
  .meta({
    title: "Body of the answer of payment-processor",
    description: "Of files, of payment_data, or the refusal of the whole event.",
  });

// --------------------------------------------------------------------------------------------------------------- all of them

interface FunctionSchemas {
  readonly request: z.ZodType;
  readonly response: z.ZodType;
  /** Only the project's own schedule sends the request. */
  readonly isScheduled?: true;
  /** What the private API takes and answers, where that is less. */
  readonly throughApi?: { readonly request: z.ZodType; readonly response: z.ZodType };
}

const auditEventsRequest = requestSchema("events", auditEventSchema, ["Actor", "user_id"]);
const [queuedEvent] = auditEventsRequest.options;
const { processPaymentMessages, persistPaymentAuditTrail, paymentProcessor } = FUNCTIONS;

const OF_FUNCTIONS: Readonly<Record<string, FunctionSchemas>> = {
  [FUNCTIONS.persistPaymentLedger.name]: {
    request: requestSchema("payments", paymentSchema, ["Actor"]).meta({
      title: "Payments to record",
      description: `${EACH_BY_ITSELF} An Amount must not have more decimals than its Currency has minor units in ISO 4217.`,
    }),
    response: persistAnswerSchema,
  },
  [persistPaymentAuditTrail.name]: {
    request: z.union([...auditEventsRequest.options, queueEvent]).meta({
      title: "Audit events to record",
      description: `${EACH_BY_ITSELF} Where an event names one thing in both vocabularies, the values must agree. From its queue the function takes one event in each message.`,
    }),
    response: z
      .union([...persistAnswerSchema.options, queueAnswer])
      .meta({ title: "Answer of persist_payment_audit_trail" }),
    throughApi: {
      request: auditEventsRequest.meta({
        title: "Audit events to record",
        description: `${EACH_BY_ITSELF} Where an event names one thing in both vocabularies, the values must agree.`,
      }),
      response: persistAnswerSchema,
    },
  },
  [FUNCTIONS.queryPaymentLedger.name]: { request: ledgerQuerySchema, response: ledgerQueryResponseSchema },
  [FUNCTIONS.revealPaymentToken.name]: { request: revealSchema, response: revealResponseSchema },
  [FUNCTIONS.queryPaymentAuditTrail.name]: { request: auditQuerySchema, response: auditQueryResponseSchema },
  [processPaymentMessages.name]: {
    request: z.union([queueEvent, importOfMessages]).meta({ title: "Messages of audit-trail-queue, or their import" }),
    response: z
      .union([queueAnswer, ...persistAnswerSchema.options])
      .meta({ title: "Answer of process_payment_messages" }),
  },
  [paymentProcessor.name]: {
    request: z.union([directPayments, s3Event]).meta({
      title: "Payments to process",
      description: `One payment, a list of up to ${ENTRIES_MAX}, or files. Each payment is judged by itself. ${EXACT_METADATA} ${DECIMALS_RULE}`,
    }),
    response: processorAnswer,
  },
  [FUNCTIONS.queryTransactions.name]: {
    request: z.union(transactionQuerySchema.options).meta({
      title: "Transactions query",
      description: "Reads the payments of files, of payment_data and of messages.",
    }),
    response: z.union(transactionsResponseSchema.options).meta({ title: "Answer of query_transactions" }),
  },
  [FUNCTIONS.exportTables.name]: { request: exportRequest, response: exportAnswer, isScheduled: true },
  [FUNCTIONS.checkBackup.name]: { request: anyRequest, response: checkAnswer, isScheduled: true },
  ...EVENT_FUNCTIONS,
  ...LOG_FUNCTIONS,
};

/** Carrier and kind of what is only carried as text, or written for others; with its side, for what others send. */
const CARRIED: readonly (readonly [string, string, z.ZodType, Side])[] = [
  [
    QUEUES.auditEvents.name,
    "message",
    z.union([queuedEvent]).meta({ title: "Message of payment-audit-trail.fifo", description: "One audit event." }),
    "sent",
  ],
  [QUEUES.paymentMessages.name, "message", queuedMessage, "sent"],
  ["payment-files", "row", fileRow, "sent"],
  ["payment-files", "report", fileReport, "made"],
  ["payment-files", "bad-row", badRow, "made"],
  [paymentProcessor.name, "body", processorBody, "made"],
];

/** File name and text of every published schema. */
export function publishedSchemas(): ReadonlyMap<string, string> {
  const files = Object.entries(OF_FUNCTIONS).flatMap(([functionName, { request, response, isScheduled }]) => [
    [
      `${functionName}.request.json`,
      published(request, `${functionName}:request`, isScheduled ? "made" : "sent"),
    ] as const,
    [`${functionName}.response.json`, published(response, `${functionName}:response`, "made")] as const,
  ]);
  const carried = CARRIED.map(
    ([carrier, kind, schema, side]) =>
      [`${carrier}.${kind}.json`, published(schema, `${carrier}:${kind}`, side)] as const,
  );
  return new Map([...files, ...carried]);
}

/** `schemas/README.md`: every published schema with its title. */
export function schemaIndex(): string {
  const rows = [...publishedSchemas()].map(([file, text]) => {
    const { title } = JSON.parse(text) as { title: string };
    return `| [\`${file}\`](v${SCHEMA_VERSION}/${file}) | ${title} |`;
  });
  return `${[
    "# JSON Schemas",
    "",
    "What the functions take (`request`) and answer (`response`), what queues and files carry (`message`, `row`), and what the ledger writes for",
    "others (`report`, `bad-row`, `body`). JSON Schema, draft 2020-12. `npm run schemas` writes them and this list from the code that validates;",
    "[docs/api.md](../docs/api.md) has examples of each.",
    "",
    "| Schema | What |",
    "|---|---|",
    ...rows,
    `| [\`${OPENAPI_FILE}\`](v${SCHEMA_VERSION}/${OPENAPI_FILE}) | OpenAPI 3.1 document of the [private API](../docs/identity.md#the-private-api) |`,
  ].join("\n")}\n`;
}

/** The OpenAPI document of the private API. */
export function privateApiDocument(): string {
  return openApiDocument((functionName) => {
    const schemas = OF_FUNCTIONS[functionName];
    if (schemas === undefined) throw new Error(`There are no schemas of ${functionName}.`);
    const { request, response } = schemas.throughApi ?? schemas;
    const parsed = (schema: z.ZodType, side: Side) => JSON.parse(published(schema, functionName, side)) as object;
    return { request: { ...parsed(request, "sent") }, response: { ...parsed(response, "made") } };
  });
}

function main(): void {
  mkdirSync(SCHEMAS_FOLDER, { recursive: true });
  for (const [name, text] of publishedSchemas()) writeFileSync(join(SCHEMAS_FOLDER, name), text);
  writeFileSync(SCHEMAS_INDEX, schemaIndex());
  writeFileSync(join(SCHEMAS_FOLDER, OPENAPI_FILE), privateApiDocument());
}

if (require.main === module) main();
