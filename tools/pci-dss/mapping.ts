/** The form of `docs/pci-dss.json`: each requirement, who supports it, and by what. */

import * as z from "zod";

const id = z.string().regex(/^10\.[2-7](\.\d+){1,2}$/);
const text = z.string().min(1);
const named = z.strictObject({ id, topic: text, evidence: z.array(text) });

/** Who meets a requirement: the software, the organization that operates it, or each a part. */
const requirementSchema = z.discriminatedUnion("by", [
  named.extend({
    by: z.literal("software"),
    control: text,
    records: z.array(text),
    tests: z.array(z.strictObject({ file: text, title: text })).min(1),
  }),
  named.extend({
    by: z.literal("both"),
    control: text,
    records: z.array(text),
    tests: z.array(z.strictObject({ file: text, title: text })).min(1),
    operator: text,
  }),
  named.extend({ by: z.literal("operator"), operator: text }),
]);

const mappingSchema = z.strictObject({
  standard: z.literal("PCI DSS"),
  version: z.literal("4.0.1"),
  /** When the mapping was changed last. */
  lastModified: z.iso.datetime(),
  requirements: z.array(requirementSchema).min(1),
});
export type PciMapping = z.infer<typeof mappingSchema>;

/** @throws ZodError for a mapping that is not in the form. */
export function parsePciMapping(json: string): PciMapping {
  return mappingSchema.parse(JSON.parse(json));
}
