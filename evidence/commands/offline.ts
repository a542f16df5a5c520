/** Entry of `dist/evidence.js`: the evidence commands for an auditor who has one file and Node.js, and neither project nor AWS account. */

import { isReaderThread } from "../verifier/reader-thread";
import { EXIT_CODE_LINES, explainEvidence, OFFLINE } from "./cli";
import type { Command } from "./command";
import { EvidenceToolError } from "./errors";
import { main, type Program } from "./program";

function onlyInProject(name: string): Command {
  return {
    summary: `Reads from AWS: only in the project, as npx payledger ${name}`,
    options: {
      bucket: { kind: "one", value: "NAME", about: "Not here." },
      to: { kind: "one", value: "DIR", about: "Not here." },
      table: { kind: "many", value: "NAME", about: "Not here." },
    },
    run: () => {
      const message = `${name} reads from AWS, and this file holds only what works without. Run it in the project: npx payledger ${name}.`;
      throw new EvidenceToolError("ONLY_IN_PROJECT", message);
    },
  };
}

export const AUDITORS_PROGRAM: Program = {
  name: "node evidence.js",
  about: "Verifies the sealed log of a payment ledger, with files and a public key alone.",
  commands: { ...OFFLINE, fetch: onlyInProject("fetch"), scan: onlyInProject("scan") },
  footer: EXIT_CODE_LINES,
  explain: explainEvidence,
};

// A test imports this file, and a thread of the verifier runs the built file again to read records only.
if (require.main === module && !isReaderThread) void main(AUDITORS_PROGRAM);
