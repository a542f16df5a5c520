/** `payledger kit`: a folder with all that an auditor needs to verify without this project and without an AWS account. */

import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { verifierKeys } from "../evidence/commands/arguments";
import type { CommandArguments, CommandBody, Terminal } from "../evidence/commands/command";
import { UsageError } from "../evidence/commands/errors";
import { writeWhole } from "../evidence/commands/files";
import { DONE } from "../evidence/commands/program";
import { fingerprintOf, type VerifierKey } from "../evidence/log/note";
import { AWS_OPTIONS, useAws } from "./aws";
import { CommandError } from "./errors";
import { runTool } from "./tools";

const EXAMPLE = path.join(__dirname, "..", "samples", "proof");
const CHECKSUMS = "SHA256SUMS";

export const kit: CommandBody = {
  details:
    "The verifier as one file that needs Node.js alone, how to use it in one page, the log's public key with its fingerprint, a policy file for other tools (C2SP tlog-policy), an example with its expected output, and the checksums of all of it. Hand it over another way than the evidence.",
  options: {
    to: { kind: "one", value: "DIR", required: true, about: "Folder that is not there yet, or is empty." },
    key: { kind: "many", value: "KEY", about: "The log's public key. Default: from KMS." },
    witness: { kind: "many", value: "KEY", about: "Verifier key of a witness that the policy shall ask for." },
    ...AWS_OPTIONS,
  },
  examples: ["kit --to kit", "kit --to kit --key log.vkey"],
  run: async (args, terminal) => {
    args.noOperand();
    const to = args.needed("to");
    if (existsSync(to) && readdirSync(to).length > 0) {
      throw new CommandError(
        "FILE_EXISTS",
        `${to} holds something already. Name an empty folder, so that the checksums cover all of it.`,
      );
    }
    const keys = await keysFor(args, terminal);
    const code = await runTool("tools/build-auditor-kit.ts", [path.resolve(to)]);
    if (code !== DONE) throw new CommandError("TOOL_FAILED", "The verifier could not be built; its message is above.");
    writeKeys(to, keys, verifierKeys(args.many("witness"), "witness"));
    copyExample(path.join(to, "example"));
    const sums = checksumsOf(to);
    writeWhole(path.join(to, CHECKSUMS), sums);
    const verifier = /^([0-9a-f]{64}) {2}evidence\.js$/m.exec(sums)?.[1];
    const fingerprints = keys.map(fingerprintOf);
    terminal.answer(
      { folder: to, verifierSha256: verifier, keyFingerprints: fingerprints },
      [
        `${to} is ready. Tell the auditor another way, by letter or telephone:`,
        `  SHA-256 of evidence.js   ${verifier}`,
        ...fingerprints.map((fingerprint) => `  SHA-256 of the log's key ${fingerprint}`),
      ].join("\n"),
    );
    return DONE;
  },
};

async function keysFor(args: CommandArguments, terminal: Terminal): Promise<VerifierKey[]> {
  if (args.many("key").length > 0) return verifierKeys(args.many("key"), "key");
  await useAws(args, terminal);
  const { logKeysOf } = require("./key") as typeof import("./key");
  return verifierKeys(
    (await logKeysOf(false)).map(({ vkey }) => vkey),
    "key",
  );
}

function writeKeys(to: string, keys: readonly VerifierKey[], witnesses: readonly VerifierKey[]): void {
  if (keys.some(({ type }) => type === "cosignature"))
    throw new UsageError("--key takes the log's key, not a witness's.");
  writeWhole(path.join(to, "log.vkey"), keys.map(({ vkey }) => `${vkey}\n`).join(""));
  const lines = keys.map((key, position) => {
    const file = position === 0 ? "log.pem" : `log-${position + 1}.pem`;
    writeWhole(path.join(to, file), key.publicKey.export({ type: "spki", format: "pem" }).toString());
    return `${fingerprintOf(key)}  openssl pkey -pubin -in ${file} -outform DER | openssl dgst -sha256\n`;
  });
  writeWhole(path.join(to, "fingerprints.txt"), lines.join(""));
  writeWhole(path.join(to, "policy.txt"), policyText(keys, witnesses));
}

/** For tools that read C2SP tlog-policy: whose checkpoints count, and who must have cosigned them. */
function policyText(keys: readonly VerifierKey[], witnesses: readonly VerifierKey[]): string {
  return [
    "# C2SP tlog-policy: the log's keys, and the witnesses whose cosignature a checkpoint needs.",
    ...keys.map(({ vkey }) => `log ${vkey}`),
    ...witnesses.map(({ vkey }, position) => `witness witness-${position + 1} ${vkey}`),
    ...(witnesses.length > 0
      ? [`group all-witnesses all ${witnesses.map((_, position) => `witness-${position + 1}`).join(" ")}`]
      : []),
    `quorum ${witnesses.length > 0 ? "all-witnesses" : "none"}`,
    "",
  ].join("\n");
}

function copyExample(to: string): void {
  mkdirSync(to);
  for (const name of readdirSync(EXAMPLE)) copyFileSync(path.join(EXAMPLE, name), path.join(to, name));
}

/** As `sha256sum --check` reads them. */
function checksumsOf(folder: string): string {
  const files = (readdirSync(folder, { recursive: true }) as string[]).map((name) => name.split(path.sep).join("/"));
  return files
    .filter((name) => statSync(path.join(folder, name)).isFile())
    .sort()
    .map(
      (name) =>
        `${createHash("sha256")
          .update(readFileSync(path.join(folder, name)))
          .digest("hex")}  ${name}\n`,
    )
    .join("");
}
