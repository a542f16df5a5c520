/** Lets the published schemas accept refusal codes that a later version adds. */

import { REFUSAL_CODES } from "../ledger/rules/refusals";

/** What a code that a later version adds looks like. */
const CODE_PATTERN = "^[A-Z][A-Z0-9_]*$";

/** Refusal codes may be added within version 1, so a schema names the known ones and accepts others. */
export function openCodes(jsonSchema: { enum?: unknown[]; anyOf?: unknown[]; description?: string }): void {
  const known = jsonSchema.enum;
  if (known === undefined || !REFUSAL_CODES.every((code) => known.includes(code))) return;
  delete jsonSchema.enum;
  jsonSchema.anyOf = [{ enum: known }, { pattern: CODE_PATTERN }];
  jsonSchema.description = "One of these, or a code that a later version adds: treat an unknown code as a refusal.";
}
