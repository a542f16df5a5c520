/** What the published schemas say differently from the schemas in the code. */

import type * as z from "zod";
import { REFUSAL_CODES } from "../ledger/rules/refusals";

/** Passed to `z.toJSONSchema` as `override`. */
export function adjust({
  zodSchema,
  jsonSchema,
}: {
  zodSchema: z.core.$ZodTypes;
  jsonSchema: z.core.JSONSchema.BaseSchema;
}): void {
  // The only check that is a function: a plain object with any members.
  if (zodSchema._zod.def.type === "custom") jsonSchema.type = "object";
  openCodes(jsonSchema);
}

/** What a code that a later version adds looks like. */
const CODE_PATTERN = "^[A-Z][A-Z0-9_]*$";

/** Refusal codes may be added within version 1, so a schema names the known ones and accepts others. */
function openCodes(jsonSchema: { enum?: unknown[]; anyOf?: unknown[]; description?: string }): void {
  const known = jsonSchema.enum;
  if (known === undefined || !REFUSAL_CODES.every((code) => known.includes(code))) return;
  delete jsonSchema.enum;
  jsonSchema.anyOf = [{ enum: known }, { pattern: CODE_PATTERN }];
  jsonSchema.description = "One of these, or a code that a later version adds: treat an unknown code as a refusal.";
}
