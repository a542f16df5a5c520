/** Entry of `dist/evidence.js`: the evidence commands for whoever has one file and Node.js, and neither project nor AWS account. */

import type { Command } from "./arguments";
import { main, OFFLINE } from "./cli";
import { EvidenceToolError } from "./errors";

function onlyInProject(name: string): Command {
  return {
    usage: `${name} ...\n      Reads from AWS: only in the project, as npm run evidence -- ${name}.`,
    options: { bucket: "one", to: "one", table: "many" },
    run: () => {
      const message = `${name} reads from AWS, and this file holds only what works without. Run it in the project: npm run evidence -- ${name}.`;
      throw new EvidenceToolError("ONLY_IN_PROJECT", message);
    },
  };
}

void main({ ...OFFLINE, fetch: onlyInProject("fetch"), scan: onlyInProject("scan") }, "node evidence.js");
