/** `npm run schemas`: writes the published JSON Schemas of each function's request and answer, from the code that validates. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { FUNCTIONS } from "../contract";
import { auditEventSchema } from "../ledger/audit-event";
import { requestSchema } from "../ledger/entries";
import { paymentSchema } from "../ledger/payment";
import { auditQuerySchema, ledgerQuerySchema, revealSchema } from "../ledger/queries";
import {
  auditQueryResponseSchema,
  ledgerQueryResponseSchema,
  persistAnswerSchema,
  revealResponseSchema,
  statusResponseSchema,
} from "../ledger/responses";
import { SCHEMA_VERSION } from "../ledger/schema";
import { statusChangeSchema } from "../ledger/status-change";

export const SCHEMAS_FOLDER = join(__dirname, "..", "schemas", `v${SCHEMA_VERSION}`);

/** What JSON Schema cannot say of every request. Rules of single fields stand in their descriptions. */
const BEYOND_SCHEMA =
  "Beyond this schema: text must be well-formed Unicode and its lengths count UTF-16 code units; card data (card numbers, security codes, tracks, PINs) is refused in every field; times must be real calendar dates.";
const EACH_BY_ITSELF =
  "One entry, a list, or a list with its actor around it. A function judges each entry by itself: one that does not match is refused alone, and the others are recorded.";

interface FunctionSchemas {
  readonly request: z.ZodType;
  readonly response: z.ZodType;
}

const SCHEMAS: Readonly<Record<string, FunctionSchemas>> = {
  [FUNCTIONS.persistPaymentLedger.name]: {
    request: requestSchema("payments", paymentSchema, ["Actor"]).meta({
      title: "Payments to record",
      description: `${EACH_BY_ITSELF} An Amount must not have more decimals than its Currency has minor units in ISO 4217.`,
    }),
    response: persistAnswerSchema,
  },
  [FUNCTIONS.persistPaymentAuditTrail.name]: {
    request: requestSchema("events", auditEventSchema, ["Actor", "user_id"]).meta({
      title: "Audit events to record",
      description: `${EACH_BY_ITSELF} Where an event names one thing in both vocabularies, the values must agree.`,
    }),
    response: persistAnswerSchema,
  },
  [FUNCTIONS.updatePaymentStatus.name]: { request: statusChangeSchema, response: statusResponseSchema },
  [FUNCTIONS.queryPaymentLedger.name]: { request: ledgerQuerySchema, response: ledgerQueryResponseSchema },
  [FUNCTIONS.revealPaymentToken.name]: { request: revealSchema, response: revealResponseSchema },
  [FUNCTIONS.queryPaymentAuditTrail.name]: { request: auditQuerySchema, response: auditQueryResponseSchema },
};

/** File name and text of every published schema. */
export function publishedSchemas(): ReadonlyMap<string, string> {
  const files = Object.entries(SCHEMAS).flatMap(([functionName, { request, response }]) => [
    [`${functionName}.request.json`, published(request, functionName, "request")] as const,
    [`${functionName}.response.json`, published(response, functionName, "response")] as const,
  ]);
  return new Map(files);
}

function published(schema: z.ZodType, functionName: string, side: "request" | "response"): string {
  const { $schema, title, description, ...rules } = z.toJSONSchema(schema, {
    target: "draft-2020-12",
    io: side === "request" ? "input" : "output",
  });
  const beyond = side === "request" ? [BEYOND_SCHEMA] : [];
  const texts = [...(description === undefined ? [] : [description]), ...beyond].join(" ");
  const document = {
    $schema,
    $id: `urn:payment-ledger:v${SCHEMA_VERSION}:${functionName}:${side}`,
    title,
    ...(texts === "" ? {} : { description: texts }),
    ...rules,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function main(): void {
  mkdirSync(SCHEMAS_FOLDER, { recursive: true });
  for (const [name, text] of publishedSchemas()) writeFileSync(join(SCHEMAS_FOLDER, name), text);
}

if (require.main === module) main();
