/**
 * The mapping of PCI DSS as an OSCAL component definition (NIST, version 1.1.3 of the format), which tools of assessors read.
 * The software is one component, what its operator does is another. There is no OSCAL catalog of PCI DSS to refer to, so the
 * source is the standard itself, and a control's id is the number of the requirement behind a prefix.
 */

import { createHash } from "node:crypto";
import type { PciMapping } from "./mapping";

const NAMESPACE = "urn:payment-ledger:oscal";
const STANDARD = "https://www.pcisecuritystandards.org/document_library/";
const OPERATOR = "operator";

type Requirement = PciMapping["requirements"][number];
type OfSoftware = Exclude<Requirement, { by: "operator" }>;
type OfOperator = Exclude<Requirement, { by: "software" }>;

/** @param version of the project. @returns what `docs/pci-dss.oscal.json` holds; the same mapping gives the same ids. */
export function oscalOf({ standard, version: edition, lastModified, requirements }: PciMapping, version: string) {
  const source = { source: STANDARD, description: `${standard} ${edition}, requirements 10.2.1 to 10.7.3` };
  const ofSoftware = requirements.filter((row): row is OfSoftware => row.by !== "operator");
  const ofOperator = requirements.filter((row): row is OfOperator => row.by !== "software");
  return {
    "component-definition": {
      uuid: uuidOf("component-definition"),
      metadata: {
        title: `Payment Ledger: what supports ${standard} ${edition}, requirements 10.2.1 to 10.7.3`,
        "last-modified": lastModified,
        version,
        "oscal-version": "1.1.3",
        roles: [{ id: OPERATOR, title: "The organization that operates the ledger" }],
        remarks:
          "Says what supports each requirement. An assessor judges an organization, not a program, and nobody has assessed this one.",
      },
      components: [
        {
          uuid: uuidOf("software"),
          type: "software",
          title: "Payment Ledger",
          description: "A ledger of payments with its audit trail and its log of proofs, on AWS.",
          "control-implementations": [
            {
              uuid: uuidOf("software/implementation"),
              ...source,
              "implemented-requirements": ofSoftware.map(softwareRequirement),
            },
          ],
        },
        {
          uuid: uuidOf(OPERATOR),
          type: "process-procedure",
          title: "Operation of the Payment Ledger",
          description: "What the organization that operates the ledger does itself. The software does none of it.",
          "control-implementations": [
            {
              uuid: uuidOf("operator/implementation"),
              ...source,
              "implemented-requirements": ofOperator.map(operatorRequirement),
            },
          ],
        },
      ],
    },
  };
}

function softwareRequirement({ id, topic, control, records, evidence, tests }: OfSoftware) {
  return {
    uuid: uuidOf(`software/${id}`),
    "control-id": controlId(id),
    description: `${topic}. ${control}.`,
    props: [
      ...records.map((kind) => property("audit-record", kind)),
      ...evidence.map((place) => property("evidence", place)),
      ...tests.map(({ file, title }) => property("test", `${file}: ${title}`)),
    ],
  };
}

function operatorRequirement({ id, topic, evidence, operator }: OfOperator) {
  const props = evidence.map((place) => property("evidence", place));
  return {
    uuid: uuidOf(`operator/${id}`),
    "control-id": controlId(id),
    description: `${topic}. The operator's part: ${operator}.`,
    ...(props.length === 0 ? {} : { props }),
    "responsible-roles": [{ "role-id": OPERATOR }],
  };
}

/** An id of OSCAL begins with a letter. */
function controlId(id: string): string {
  return `pci-dss-${id}`;
}

function property(name: string, value: string) {
  return { name, ns: NAMESPACE, value };
}

/** A UUID of version 5 (RFC 9562) in a namespace of this project: the same name, the same id. */
function uuidOf(name: string): string {
  const bytes = createHash("sha1").update(`${NAMESPACE}/${name}`).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
