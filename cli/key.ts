/** `payledger key`: the log's public key, from KMS, in the form that `verify` takes. */

import { KMSClient } from "@aws-sdk/client-kms";
import type { CommandBody } from "../evidence/commands/command";
import { writeWhole } from "../evidence/commands/files";
import { DONE } from "../evidence/commands/program";
import { fingerprintOf, parseVerifierKey } from "../evidence/log/note";
import { checkpointSigners } from "../evidence/sealing/signers";
import { loadConfig } from "../stacks/config/load";
import { namesOf } from "../stacks/config/names";
import { onAws } from "./aws";
import { accountId } from "./environment";
import { CommandError } from "./errors";

interface LogKey {
  readonly vkey: string;
  readonly pem: string;
  /** SHA-256 of the key's DER (SubjectPublicKeyInfo), as OpenSSL and KMS give it. */
  readonly fingerprint: string;
  readonly alias: string;
}

export const key: CommandBody = onAws({
  details:
    "Writes the verifier key to FILE, and beside it the same key as PEM for other tools. The private key never leaves KMS. Hand the file to the auditor, and tell the fingerprint another way.",
  options: {
    out: { kind: "one", value: "FILE", about: "Where the key goes. Default: it is only printed." },
    retired: { kind: "flag", about: "The keys that signed earlier and sign no more, for --retired-key." },
  },
  examples: ["key --out log.vkey"],
  run: async (args, { answer }) => {
    args.noOperand();
    const found = await logKeysOf(args.flag("retired"));
    const out = args.one("out");
    const files = found.map((_, position) => pemPath(out ?? "log.vkey", position));
    if (out !== undefined) {
      writeWhole(out, found.map(({ vkey }) => `${vkey}\n`).join(""));
      for (const [position, { pem }] of found.entries()) writeWhole(files[position] ?? "", pem);
    }
    answer(
      found.map((each, position) => ({
        ...each,
        ...(out === undefined ? {} : { file: out, pemFile: files[position] }),
      })),
      found.map((each, position) => keyText(each, out, files[position] ?? "")).join("\n"),
    );
    return DONE;
  },
});

/** @throws CommandError NOT_FOUND where the environment has no such key. */
export async function logKeysOf(isRetired: boolean): Promise<LogKey[]> {
  const config = loadConfig();
  const generations = isRetired ? config.checkpointKeys.retired : config.checkpointKeys.signing;
  const { checkpointKeyAliases } = namesOf(config);
  const aliases = generations.map((generation) => checkpointKeyAliases[generation] ?? "");
  if (aliases.length === 0) throw new CommandError("NOT_FOUND", "This environment has no retired keys of the log.");
  const origin = `payment-ledger/${config.region}/${await accountId()}/${config.suffix}`;
  const signers = await checkpointSigners(new KMSClient({}), aliases, origin)();
  return signers.map(({ verifierKey }, position) => {
    const key = parseVerifierKey(verifierKey);
    return {
      vkey: verifierKey,
      pem: key.publicKey.export({ type: "spki", format: "pem" }).toString(),
      fingerprint: fingerprintOf(key),
      alias: aliases[position] ?? "",
    };
  });
}

function pemPath(out: string, position: number): string {
  return `${out.replace(/\.vkey$/, "")}${position === 0 ? "" : `-${position + 1}`}.pem`;
}

function keyText({ vkey, fingerprint, alias }: LogKey, out: string | undefined, pemFile: string): string {
  return [
    vkey,
    `  SHA-256 ${fingerprint}`,
    out === undefined
      ? `  The same: aws kms get-public-key --key-id ${alias} --query PublicKey --output text | base64 -d | openssl dgst -sha256`
      : `  The same: openssl pkey -pubin -in ${pemFile} -outform DER | openssl dgst -sha256`,
    ...(out === undefined ? [] : [`  Written to ${out} and ${pemFile}.`]),
  ].join("\n");
}
