/**
 * `npm run pci-dss`: writes `docs/pci-dss.md` and `docs/pci-dss.oscal.json` from `docs/pci-dss.json`, which maps requirements 10.2.1 to 10.7.3 of PCI DSS to
 * the project's controls, records, evidence and tests. The JSON file is the source; tools of assessors read it too.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { VERSION } from "../../evidence/commands/version";
import { type PciMapping, parsePciMapping } from "./mapping";
import { oscalOf } from "./oscal";

const DOCS = join(__dirname, "..", "..", "docs");

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
here and what stays the operator's. Tools read the same table from
[pci-dss.json](pci-dss.json), and as an OSCAL component definition from [pci-dss.oscal.json](pci-dss.oscal.json).

Records are kinds of the audit trail ([architecture.md](architecture.md)); \`all\` means every kind.

${[
  line(["Requirement", "Topic", "Supported by", "Control", "Records", "Evidence", "Tests", "The operator's part"]),
  line(Array.from({ length: 8 }, () => "---")),
  ...rows.map(line),
].join("\n")}
`;
}

/** The same as OSCAL, as it is written. */
export function pciOscalText(mapping: PciMapping): string {
  return `${JSON.stringify(oscalOf(mapping, VERSION), undefined, 2)}\n`;
}

if (require.main === module) {
  const mapping = parsePciMapping(readFileSync(join(DOCS, "pci-dss.json"), "utf8"));
  writeFileSync(join(DOCS, "pci-dss.md"), pciPage(mapping));
  writeFileSync(join(DOCS, "pci-dss.oscal.json"), pciOscalText(mapping));
}
