/** The published schemas are what the code generates, judge as the code judges, and fit every example of docs/api.md. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv2020, { type ValidateFunction } from "ajv/dist/2020";
import fc from "fast-check";
import { FUNCTIONS } from "../contract";
import { parseEntries } from "../ledger/entries";
import { parsePayment } from "../ledger/payment";
import { encodePageToken } from "../ledger/queries";
import { REFUSAL_CODES, type RefusalCode, refusal } from "../ledger/refusals";
import { publishedSchemas, SCHEMAS_FOLDER } from "../scripts/write-schemas";
import {
  anEvent,
  aPayment,
  DOORS,
  EVENT_DOOR,
  type Input,
  NOW,
  PAYMENT_DOOR,
  without,
} from "./support/ledger-fixtures";

const ajv = new Ajv2020({ strict: true });
const validators = new Map<string, ValidateFunction>(
  [...publishedSchemas()].map(([file, text]) => [file.replace(/\.json$/, ""), ajv.compile(JSON.parse(text))]),
);

function fits(name: string, document: unknown): boolean {
  const validate = validators.get(name);
  if (validate === undefined) throw new Error(`No schema is published for ${name}.`);
  return validate(document);
}

describe("the committed files", () => {
  test("are one request and one answer for each function, and nothing else", () => {
    const expected = Object.values(FUNCTIONS).flatMap(({ name }) => [`${name}.request.json`, `${name}.response.json`]);
    expect(readdirSync(SCHEMAS_FOLDER).sort()).toEqual(expected.sort());
  });

  test.each([...publishedSchemas()])("%s is what the code generates (else: npm run schemas)", (file, text) => {
    expect(readFileSync(join(SCHEMAS_FOLDER, file), "utf8")).toBe(text);
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

/** What the door says after the schema; each of these rules stands in a description. */
const BEYOND_SCHEMA = new Set<RefusalCode>([
  "AMOUNT_DECIMALS",
  "INVALID_TIMESTAMP",
  "TIMESTAMP_OUT_OF_RANGE",
  "INVALID_SECURE_TOKEN",
  "INVALID_REASON",
  "INVALID_DETAILS",
  "VOCABULARY_CONFLICT",
  "RANGE_TOO_LONG",
  "INVALID_PAGE_TOKEN",
]);

describe.each(DOORS.map((door) => [door.functionName, door] as const))("the request schema of %s", (name, door) => {
  const request = `${name}.request`;

  test("takes what the door takes", () => {
    for (const input of door.accepted) expect([input, fits(request, input)]).toEqual([input, true]);
  });

  const inSchema = door.refused.filter(({ beyondSchema }) => !beyondSchema);
  test.each(inSchema.map(({ why, code, input }) => [why, code, input] as const))(
    "refuses what the door refuses: %s (%s)",
    (_why, _code, input) => {
      expect(fits(request, input)).toBe(false);
    },
  );

  test("takes what only the door can refuse, by rules that its descriptions state", () => {
    for (const { why, code, input, beyondSchema } of door.refused) {
      if (!beyondSchema) continue;
      expect([why, fits(request, input)]).toEqual([why, true]);
      expect(BEYOND_SCHEMA).toContain(code);
    }
  });

  test("property: schema and door agree on any mixture of good and bad fields", () => {
    const all = [...door.accepted, ...door.refused.map(({ input }) => input)].filter(isObject);
    const fields = all.flatMap((input) => Object.entries(input));
    const mixtures = fc
      .tuple(
        fc.constantFrom(...door.accepted),
        fc.array(fc.constantFrom(...fields), { maxLength: 2 }),
        fc.option(fc.nat()),
      )
      .map(([base, changes, dropped]) => mixed(base, changes, dropped));
    fc.assert(
      fc.property(mixtures, (input) => {
        const result = door.parse(input);
        if (result.ok) expect(fits(request, input)).toBe(true);
        else if (fits(request, input)) expect(BEYOND_SCHEMA).toContain(result.refusal.code);
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
    return "entries" in parsed && parsed.entries.every((entry) => parsePayment(entry, parsed.actor, NOW).ok);
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

describe("docs/api.md", () => {
  const page = readFileSync(join(__dirname, "..", "docs", "api.md"), "utf8");
  const examples = [...page.matchAll(/^```json ([a-z_]+\.(?:request|response))\n([\s\S]*?)^```$/gm)].map(
    ([, name = "", text = ""]) => [name, JSON.parse(text) as unknown] as const,
  );
  const exampleOf = (name: string) => examples.find(([each]) => each === name)?.[1];

  test("has an example of each request and each answer", () => {
    expect(new Set(examples.map(([name]) => name))).toEqual(new Set(validators.keys()));
    expect(page.match(/^```json/gm)).toHaveLength(examples.length);
  });

  test.each(examples)("the example of %s fits its schema", (name, document) => {
    expect(fits(name, document)).toBe(true);
  });

  test.each(DOORS.map((door) => [door.functionName, door] as const))(
    "the door of %s takes its example",
    (name, door) => {
      const example = exampleOf(`${name}.request`);
      const parsed = parseEntries(example, door === EVENT_DOOR ? "events" : "payments");
      if (!("entries" in parsed)) throw new Error("The example is refused as a whole.");
      const isList = door === PAYMENT_DOOR || door === EVENT_DOOR;
      const actor = isList && parsed.actor !== undefined ? { Actor: parsed.actor } : {};
      for (const entry of parsed.entries) {
        expect(door.parse({ ...actor, ...(entry as Input) })).toMatchObject({ ok: true });
      }
    },
  );

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
    const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| (.*) \|$/gm)].map(([, code, text]) => [code, text]);
    expect(rows).toEqual(REFUSAL_CODES.map((code) => [code, refusal(code).message]));
  });

  test("its examples of refusals carry the texts of the code", () => {
    const refusals = examples
      .map(([, document]) => document)
      .filter(isObject)
      .filter(({ code }) => code !== undefined);
    expect(refusals.length).toBeGreaterThan(0);
    for (const { code, message } of refusals) expect(message).toBe(refusal(code as RefusalCode).message);
  });
});
