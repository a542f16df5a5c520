/** Which room, and which folder of a room, may import what. */

import { dirname, posix } from "node:path";
import { imports, type SourceFile } from "./project-files";

interface Layer {
  readonly project: readonly string[];
  readonly packages: readonly RegExp[];
}

const PURE = ["contract", "ledger/rules"];
const LEDGER = [...PURE, "ledger/store", "ledger/operations"];

/** `stacks` on one side, the functions' code on the other; they meet in `contract.ts`, which imports nothing. */
const LAYERS: Readonly<Record<string, Layer>> = {
  contract: { project: [], packages: [] },
  "ledger/rules": { project: PURE, packages: [/^zod$/, /^lossless-json$/, /^node:crypto$/] },
  "ledger/files": {
    project: [...PURE, "ledger/files"],
    packages: [/^@aws-sdk\/client-s3$/, /^csv-parse\/sync$/, /^zod$/, /^node:(buffer|crypto|fs|path|stream|zlib)$/],
  },
  /** Checks of large tables in pieces, for the backup check and for the verifier. */
  "ledger/pieces": { project: [...PURE, "ledger/pieces"], packages: [/^node:(crypto|stream|zlib)$/] },
  /** DynamoDB's exports, read for the backup check and for the verifier, which has no AWS SDK and no schema library. */
  "ledger/exports": {
    project: [...PURE, "ledger/files", "ledger/exports"],
    packages: [/^node:(buffer|crypto|fs|path|stream|zlib)$/],
  },
  backup: {
    project: [...LEDGER, "ledger/files", "ledger/exports", "ledger/pieces", "backup"],
    packages: [/^@aws-sdk\/client-(dynamodb|s3)$/, /^zod$/, /^node:/],
  },
  client: {
    project: [...PURE, "client"],
    packages: [/^@aws-sdk\/client-(lambda|sqs)$/, /^zod$/, /^node:(crypto|timers\/promises)$/],
  },
  "ledger/store": {
    project: [...PURE, "ledger/store"],
    packages: [/^@aws-sdk\/client-(dynamodb|kms)$/, /^node:crypto$/, /^node:timers\/promises$/],
  },
  "ledger/operations": { project: [...LEDGER, "ledger/files"], packages: [/^zod$/, /^node:crypto$/] },
  /** What the log of proofs is made of: all that its writer and its verifier share. */
  "evidence/log": { project: [...PURE, "evidence/log"], packages: [/^node:crypto$/] },
  "evidence/sealing": {
    project: [...LEDGER, "evidence/log", "evidence/sealing"],
    packages: [/^@aws-sdk\/client-(dynamodb|kms|s3)$/, /^zod$/, /^node:(crypto|zlib)$/],
  },
  /** No AWS SDK, and nothing of the writer's: who does not trust the ledger can read all of it. */
  "evidence/verifier": {
    project: [...PURE, "ledger/files", "ledger/exports", "ledger/pieces", "evidence/log", "evidence/verifier"],
    packages: [
      /^node:(buffer|crypto|fs|fs\/promises|os|path|readline|stream|timers\/promises|worker_threads|zlib)$/,
      /^tsx\/cjs$/,
    ],
  },
  /** CloudTrail's files and the records of a day: who called. Pure; what reads AWS is passed in. */
  "evidence/identity": { project: [...PURE, "evidence/identity"], packages: [/^node:(crypto|zlib)$/] },
  "evidence/report": {
    project: [
      ...[...PURE, "ledger/exports"],
      ...["evidence/log", "evidence/verifier", "evidence/identity", "evidence/report"],
    ],
    packages: [/^node:crypto$/],
  },
  "evidence/commands": {
    project: [
      ...[...PURE, "ledger/files", "ledger/exports", "ledger/pieces", "backup"],
      ...["evidence/log", "evidence/verifier", "evidence/identity", "evidence/report", "evidence/commands"],
    ],
    packages: [/^node:(crypto|fs|fs\/promises|http|net|os|path|readline|stream|timers\/promises|util|zlib)$/],
  },
  "evidence/checks": {
    project: [
      ...[...LEDGER, "ledger/exports", "ledger/pieces", "backup"],
      ...[
        "evidence/log",
        "evidence/sealing",
        "evidence/verifier",
        "evidence/identity",
        "evidence/commands",
        "evidence/checks",
      ],
    ],
    packages: [/^@aws-sdk\/client-(cloudtrail|dynamodb|kms|s3)$/, /^zod$/, /^node:crypto$/],
  },
  handlers: {
    project: [...LEDGER, "ledger/files", "backup", "evidence/sealing", "evidence/checks", "handlers"],
    packages: [
      ...[/^@aws-sdk\/(client-|credential-provider-env$)/, /^@smithy\/node-http-handler$/],
      ...[/^@aws-lambda-powertools\//, /^aws-lambda$/],
    ],
  },
  "stacks/config": { project: ["contract", "stacks/config"], packages: [] },
  stacks: {
    project: ["contract", "stacks/config", "stacks"],
    packages: [/^cdktf$/, /^constructs$/, /^@cdktf\/provider-(aws|archive|local)\//],
  },
  main: { project: ["stacks/config", "tools", "stacks"], packages: [] },
};

/** The room and, where a room has layers, its folder; the file's own name at the top. */
function layerOf(path: string): string {
  const parts = path.replace(/\.[cm]?[jt]s$/, "").split("/");
  const folder = parts.slice(0, 2).join("/");
  return folder in LAYERS ? folder : (parts[0] ?? "");
}

export function importOutsideLayer(file: SourceFile): string[] {
  const own = layerOf(file.path);
  const layer = LAYERS[own];
  if (layer === undefined) return [];
  return imports(file, (module) => {
    const target = module.startsWith(".") ? layerOf(posix.join(dirname(file.path), module)) : undefined;
    const allowed =
      target === undefined ? layer.packages.some((each) => each.test(module)) : layer.project.includes(target);
    return allowed
      ? undefined
      : `imports ${module}: ${own} may use ${layer.project.join(", ") || "nothing"} of this project. Move the code to where both may look, or pass the value in.`;
  });
}
