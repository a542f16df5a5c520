/** A zod schema as the text of a published JSON Schema. */

import * as z from "zod";
import { SCHEMA_VERSION } from "../ledger/rules/schema";
import { adjust } from "./schema-adjustments";

/** Rules that JSON Schema cannot express. Rules of single fields are in their descriptions. */
const BEYOND_SCHEMA =
  "Beyond this schema: text must be well-formed Unicode and its lengths count UTF-16 code units; card data (card numbers, security codes, tracks, PINs) is refused in every field; times must be real calendar dates.";

/** Whether others write the document, or the ledger does. */
export type Side = "sent" | "made";

/** @param name the last part of its `$id`. */
export function published(schema: z.ZodType, name: string, side: Side): string {
  const {
    $schema,
    title,
    description,
    id: _id,
    ...rules
  } = z.toJSONSchema(schema, {
    target: "draft-2020-12",
    io: side === "sent" ? "input" : "output",
    unrepresentable: "any",
    override: adjust,
  });
  const beyond = side === "sent" ? [BEYOND_SCHEMA] : [];
  const texts = [...(description === undefined ? [] : [description]), ...beyond].join(" ");
  const document = {
    $schema,
    $id: `urn:payment-ledger:v${SCHEMA_VERSION}:${name}`,
    title,
    ...(texts === "" ? {} : { description: texts }),
    ...rules,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
