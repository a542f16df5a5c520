/** `payledger audit`: one visit of an auditor: copies tables and evidence, waits until all is sealed, verifies, keeps the pin. */

import { copyFileSync, existsSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { s3Evidence } from "../evidence/checks/s3-evidence";
import { scanTables } from "../evidence/checks/scan-tables";
import { type CommandArguments, type CommandBody, parseWords, type Terminal } from "../evidence/commands/command";
import { fetchEvidence } from "../evidence/commands/fetch";
import { attestedDays, IDENTITIES_OPTION, identitiesOf } from "../evidence/commands/identities";
import { DONE } from "../evidence/commands/program";
import { writeReport } from "../evidence/commands/report";
import { VERIFY_OPTIONS, verifyOptions } from "../evidence/commands/verify-options";
import { identityText } from "../evidence/identity/identity-report";
import { EXIT_CODES, graverOf, type VerificationReport, verificationText } from "../evidence/verifier/report";
import { type VerifyOptions, verifyLog } from "../evidence/verifier/verify";
import { loadConfig } from "../stacks/config/load";
import { namesOf } from "../stacks/config/names";
import { onAws } from "./aws";
import { bucketsOfEnvironment } from "./environment";
import { CommandError } from "./errors";
import { publishOnEmbedded } from "./schedule";

const FOLDER_DEFAULT = "audit";
const WAIT_SECONDS_DEFAULT = 240;
const POLL_SECONDS = 15;

export const auditCommand: CommandBody = onAws({
  details: `Copies the tables, then the log's evidence, waits for the log's next heartbeat so that all that was copied is sealed, and verifies. The checkpoint of a good visit is kept in DIR, and the next visit must continue it. The first visit has none: nobody can then say whether the log's end was cut before, and the verdict is tail-not-pinned (20); --first-visit accepts that and ends with 0.`,
  options: {
    to: { kind: "one", value: "DIR", about: `Folder that keeps the visits. Default: ${FOLDER_DEFAULT}.` },
    key: {
      kind: "many",
      value: "KEY",
      about: "The log's public key, as the operator handed it over. Default: DIR/log.vkey.",
    },
    "first-visit": { kind: "flag", about: "There is no earlier checkpoint yet, and that is expected." },
    witness: { kind: "many", value: "KEY", about: "Verifier key of a witness, or a file with such keys." },
    "wait-seconds": {
      kind: "one",
      value: "N",
      about: `How long to wait for the heartbeat. Default: ${WAIT_SECONDS_DEFAULT}.`,
    },
    ...IDENTITIES_OPTION,
    html: { kind: "one", value: "FILE", about: "Write the result as a page, too." },
  },
  examples: ["key --out audit/log.vkey", "audit --first-visit", "audit --html report.html"],
  run: async (args, terminal) => {
    args.noOperand();
    const visit = auditFilesOf(args);
    const { options, report } = await verified(visit, args, terminal);
    // Read now, because the visit fetches them with the evidence.
    const identities = await identitiesOf(attestedDays(args), options.sources);
    const verdict = graverOf(report.verdict, identities?.verdict ?? "ok");
    const isFirst = !existsSync(visit.pin);
    const isGood = report.verdict === "ok" || report.verdict === "tail-not-pinned";
    if (isGood) copyFileSync(path.join(visit.evidence, "checkpoint"), visit.pin);
    const isAccepted = isFirst && args.flag("first-visit") && verdict === "tail-not-pinned";
    const notes = notesOf({ isFirst, isGood, isAccepted, pin: visit.pin });
    terminal.answer(
      { verdict, firstVisit: isFirst, pin: isGood ? visit.pin : null, report, ...(identities && { identities }) },
      [verificationText(report), ...(identities ? [identityText(identities)] : []), ...notes].join("\n"),
    );
    const page = args.one("html");
    if (page !== undefined)
      await writeReport(page, { options, verification: report, identities, args, say: terminal.tell });
    return isAccepted ? DONE : EXIT_CODES[verdict];
  },
});

interface AuditFiles {
  /** New with each visit. */
  readonly tables: string;
  /** Grows with the log. */
  readonly evidence: string;
  /** Checkpoint of the last good visit. */
  readonly pin: string;
  readonly keys: readonly string[];
}

function auditFilesOf(args: CommandArguments, now = new Date()): AuditFiles {
  const folder = args.one("to") ?? FOLDER_DEFAULT;
  const keyFile = path.join(folder, "log.vkey");
  const keys = args.many("key");
  if (keys.length === 0 && !existsSync(keyFile)) {
    throw new CommandError(
      "FILE_MISSING",
      `There is no file ${keyFile}, and no --key. The log's operator makes it once: npx payledger key --out ${keyFile}. Take it another way than the evidence.`,
    );
  }
  const name = `visit-${now.toISOString().replaceAll(/[:.]/g, "")}`;
  return {
    tables: path.join(folder, name, "tables"),
    evidence: path.join(folder, "evidence"),
    pin: path.join(folder, "checkpoint"),
    keys: keys.length > 0 ? keys : [keyFile],
  };
}

/** What was copied is sealed by the next heartbeat, or never will be: until the time is over, verifies again. */
async function verified(visit: AuditFiles, args: CommandArguments, terminal: Terminal) {
  const { tell, progress } = terminal;
  const { tables } = namesOf(loadConfig());
  await publishOnEmbedded();
  tell("Copying the tables");
  await scanTables(new DynamoDBClient({}), Object.values(tables), visit.tables, () => new Date());
  // Paths instead of host names for buckets, because an endpoint on this machine has no such names.
  const source = s3Evidence(new S3Client({ forcePathStyle: true }), (await bucketsOfEnvironment()).evidence);
  const deadline = Date.now() + (args.number("wait-seconds", 0) ?? WAIT_SECONDS_DEFAULT) * 1000;
  tell("Copying the evidence and verifying");
  for (let visits = 1; ; visits += 1) {
    const isEmbedded = await publishOnEmbedded();
    await fetchEvidence(source, visit.evidence, progress);
    const options = await optionsOf(visit, args);
    const report = await verifyLog({ ...options, ...(progress && { onProgress: progress }) });
    if (!isSealing(report) || Date.now() > deadline) return { options, report };
    if (visits === 1) tell("Not all of it is sealed yet; waiting for the log's next heartbeat");
    await delay(isEmbedded ? 1000 : POLL_SECONDS * 1000);
  }
}

function isSealing({ verdicts }: VerificationReport): boolean {
  return verdicts.some((verdict) => verdict === "unsealed" || verdict === "stale");
}

function optionsOf({ tables, evidence, pin, keys }: AuditFiles, args: CommandArguments): Promise<VerifyOptions> {
  const each = (option: string, values: readonly string[]) => values.flatMap((value) => [`--${option}`, value]);
  const words = [
    ...["--evidence", evidence, "--export", tables],
    ...each("key", keys),
    ...each("witness", args.many("witness")),
    ...(existsSync(pin) ? ["--last-checkpoint", pin] : []),
  ];
  return verifyOptions(parseWords(words, VERIFY_OPTIONS));
}

interface AuditOutcome {
  readonly isFirst: boolean;
  readonly isGood: boolean;
  readonly isAccepted: boolean;
  readonly pin: string;
}

function notesOf({ isFirst, isGood, isAccepted, pin }: AuditOutcome): string[] {
  if (!isGood) return ["", `The pin ${pin} was left as it was.`];
  if (!isFirst) return ["", `The checkpoint is kept in ${pin}; the next visit must continue it.`];
  return [
    "",
    "First visit: every record that is there was compared with the log. What this visit cannot know is whether entries were",
    `cut off the log's end before it. From now on it can: the checkpoint is kept in ${pin}, and the next visit must continue it.`,
    ...(isAccepted ? [] : ["A first visit that is expected ends with 0 under --first-visit."]),
  ];
}
