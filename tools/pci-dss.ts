/**
 * `npm run pci-dss`: writes `docs/pci-dss.md` from `docs/pci-dss.json`, which maps requirements 10.2.1 to 10.7.3 of PCI DSS to
 * the project's controls, records, evidence and tests. The JSON file is the source; tools of assessors read it too.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";

const DOCS = join(__dirname, "..", "docs");

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
  requirements: z.array(requirementSchema).min(1),
});
export type PciMapping = z.infer<typeof mappingSchema>;

/** @throws ZodError for a mapping that is not in the form. */
export function parsePciMapping(json: string): PciMapping {
  return mappingSchema.parse(JSON.parse(json));
}

const WHO = { software: "software", both: "software and operator", operator: "operator" } as const;

/** The page in Markdown. */
export function pciPage({ standard, version, requirements }: PciMapping): string {
  const rows = requirements.map((row) => {
    const operator = "operator" in row ? row.operator : "";
    const [control, records, tests] =
      row.by === "operator"
        ? ["", "", ""]
        : [
            row.control,
            row.records.map((kind) => `\`${kind}\``).join(", "),
            row.tests.map(({ file, title }) => `\`${file}\`: "${title}"`).join("<br>"),
          ];
    return [row.id, row.topic, WHO[row.by], control, records, row.evidence.join("; "), tests, operator];
  });
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return `# ${standard} ${version}, requirements 10.2.1 to 10.7.3

<!-- Written by \`npm run pci-dss\` from pci-dss.json. -->

What this project has that supports each requirement about audit logs, where the evidence is, and which tests hold it. The
texts of the requirements are the standard's; the second column names only their topic. An assessor judges an organization, not
a program, and nobody has assessed this one: [SECURITY.md](../SECURITY.md#pci-dss) says what of the other requirements is
here and what stays the operator's. Tools read the same table from [pci-dss.json](pci-dss.json).

Records are kinds of the audit trail ([architecture.md](architecture.md)); \`all\` means every kind.

${[
  line(["Requirement", "Topic", "Supported by", "Control", "Records", "Evidence", "Tests", "The operator's part"]),
  line(Array.from({ length: 8 }, () => "---")),
  ...rows.map(line),
].join("\n")}
`;
}

if (require.main === module) {
  writeFileSync(join(DOCS, "pci-dss.md"), pciPage(parsePciMapping(readFileSync(join(DOCS, "pci-dss.json"), "utf8"))));
}
