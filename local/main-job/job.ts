/** The whole job, stage by stage: prepare, feed, feed again, use, forge, audit, inspect. */

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { textOf } from "../../ledger/stored-item";
import { type Deployment, deploy } from "../deploy";
import type { EmbeddedAws } from "../embedded-aws";
import { readSynthesized } from "../synthesized";
import { type Audit, audit, missingAlarm, unauditedReads, untoldEvents } from "./auditor";
import { LedgerCalls } from "./calls";
import {
  type Counted,
  checkEndings,
  checkLogs,
  checkRetry,
  checkSecretsAtRest,
  checkTables,
  countEndings,
  readsAndRecordsDiffer,
  recordsOf,
} from "./checks";
import { feed } from "./feed";
import { type Forgery, forgeAndRead } from "./forgery";
import { type Expected, type InputLine, readExpected, readInput } from "./input";
import { Invariants } from "./invariants";
import { readLogs } from "./logs";
import type { JobOptions } from "./options";
import { pickHero, type SentPayment, storedPayments } from "./payments";
import { number, Progress } from "./progress";
import { Reader } from "./reader";
import type { JobReport } from "./report";
import { Secrets, tokensOf } from "./secrets";
import { synthesize } from "./synthesize";
import { type Snapshot, takeSnapshot, writeUnits } from "./tables";
import { changeStatus, ENCRYPTED_DETAILS, readBack, tellEvents } from "./tour";

/** How much of the file is sent a second time, from its beginning. */
const SENT_AGAIN_LINES = 400;

interface Session {
  readonly deployment: Deployment;
  readonly dynamo: DynamoDBClient;
  readonly calls: LedgerCalls;
  readonly reader: Reader;
  readonly lines: readonly InputLine[];
  readonly expected: Expected;
  readonly invariants: Invariants;
  readonly progress: Progress;
  readonly startedAt: Date;
}

export async function runJob(options: JobOptions, starting: Promise<EmbeddedAws>): Promise<JobReport> {
  const session = await prepare(options, starting);
  try {
    const first = await feedFile(session);
    const retried = await feedAgain(session, first.snapshot);
    const used = await use(session, first);
    const forgery = await forge(session, first.snapshot, used.hero);
    const audited = await lookUp(session, used.hero, forgery, used.eventFaults);
    await inspect(session);
    return {
      counted: first.counted,
      feedSeconds: first.seconds,
      retried,
      reads: used.reads,
      readsMade: session.reader.made,
      hero: first.hero,
      heroTrail: audited.heroTrail,
      writeUnits: await writeUnits(pairsOf(first.snapshot), session.dynamo, session.deployment),
      invariants: session.invariants,
      stacks: readSynthesized(options.out).map(({ id }) => id),
      out: options.out,
      seconds: (Date.now() - session.startedAt.getTime()) / 1000,
    };
  } finally {
    session.dynamo.destroy();
  }
}

async function prepare(options: JobOptions, starting: Promise<EmbeddedAws>): Promise<Session> {
  const startedAt = new Date();
  const progress = new Progress();
  const lines = readInput(options.input);
  const expected = readExpected(options.expected);
  progress.begin("Synthesize the stacks");
  await synthesize(options.out);
  progress.end(
    readSynthesized(options.out)
      .map(({ id }) => id)
      .join(", "),
  );
  progress.begin("Deploy what they say");
  const aws = await starting;
  const deployment = await deploy({ aws, outputDirectory: options.out });
  const place = aws.kind === "embedded" ? "the embedded AWS on" : "AWS_ENDPOINT_URL,";
  progress.end(`${deployment.resources.length} resources and data sources to ${place} ${aws.endpoint}`);
  const calls = new LedgerCalls(deployment);
  const dynamo = new DynamoDBClient(deployment.clientConfig());
  const reader = new Reader(calls);
  return { deployment, dynamo, calls, reader, lines, expected, invariants: new Invariants(), progress, startedAt };
}

interface FirstFeeding {
  readonly counted: Counted;
  readonly seconds: number;
  readonly snapshot: Snapshot;
  readonly payments: readonly SentPayment[];
  readonly hero: SentPayment;
}

async function feedFile(session: Session): Promise<FirstFeeding> {
  const { lines, calls, progress, expected, invariants } = session;
  progress.begin("Feed the payments");
  const startedAtMs = Date.now();
  const { endings, calls: callCount } = await feed(lines, calls, progress);
  const seconds = (Date.now() - startedAtMs) / 1000;
  progress.end(`${number(lines.length)} lines in ${callCount} calls`);
  const counted = checkEndings(lines, endings, expected, invariants);
  const snapshot = await takeSnapshot(session.dynamo, session.deployment);
  const payments = storedPayments(lines, endings, expected);
  checkTables(snapshot, payments, expected, invariants);
  return { counted, seconds, snapshot, payments, hero: pickHero(payments, lines, expected) };
}

async function feedAgain(session: Session, before: Snapshot): Promise<Counted> {
  const { lines, calls, progress, expected, invariants } = session;
  const part = lines.slice(0, SENT_AGAIN_LINES);
  progress.begin("Feed a part again");
  const { endings } = await feed(part, calls, progress);
  progress.end(`${number(part.length)} lines`);
  const after = await takeSnapshot(session.dynamo, session.deployment);
  checkRetry(before, after, endings, expected, invariants);
  return countEndings(endings.values());
}

async function use({ calls, reader, invariants, progress }: Session, { hero: recorded, payments }: FirstFeeding) {
  progress.begin("Change, read, reveal, tell events");
  const hero = await changeStatus(calls, recorded, invariants);
  const reads = await readBack(reader, hero, payments, invariants);
  const eventFaults = await tellEvents(calls, hero, new Date());
  progress.end(`${reader.made.length} reads`);
  return { hero, reads, eventFaults };
}

async function forge({ dynamo, deployment, reader, progress }: Session, snapshot: Snapshot, hero: SentPayment) {
  progress.begin("Forge a row and read it");
  const genuine = snapshot.ledger.get(hero.TransactionID) ?? {};
  const forgery = await forgeAndRead(dynamo, deployment.tableName("paymentLedger"), genuine, reader);
  progress.end(forgery.faults.length === 0 ? "refused as RECORD_FORGED" : "NOT refused as it must be");
  return forgery;
}

async function lookUp(
  { reader, invariants, progress, startedAt, deployment, dynamo }: Session,
  hero: SentPayment,
  forgery: Forgery,
  eventFaults: readonly string[],
): Promise<Audit> {
  progress.begin("Audit the reads");
  const audited = await audit(reader, hero.TransactionID, startedAt);
  progress.end(`${audited.records.length} records looked up`);
  const final = await takeSnapshot(dynamo, deployment);
  const faults = [...unauditedReads(audited, reader), ...readsAndRecordsDiffer(final, reader.made)];
  invariants.record("READ_UNAUDITED", `${reader.made.length} reads`, faults);
  invariants.record("FORGERY_ACCEPTED", "1 forged row", [...forgery.faults, ...missingAlarm(audited, forgery)]);
  invariants.record("EVENTS_DIFFER", "4 events, sent twice", [...eventFaults, ...untoldEvents(audited)]);
  return audited;
}

async function inspect({ deployment, dynamo, calls, lines, expected, invariants, progress }: Session): Promise<void> {
  progress.begin("Search tables and logs for secrets");
  const secrets = new Secrets([...tokensOf(lines), ...ENCRYPTED_DETAILS], expected.cardNumbers);
  checkSecretsAtRest(await takeSnapshot(dynamo, deployment), secrets, invariants);
  checkLogs(await readLogs(deployment, calls.made), calls, secrets, invariants);
  progress.end(`${number(secrets.count)} values`);
}

/** Each stored payment's row with its WRITE record. */
function pairsOf({ ledger, trail }: Snapshot) {
  const writes = new Map(recordsOf(trail, "WRITE").map((record) => [textOf(record, "TransactionID") ?? "", record]));
  return [...ledger].flatMap(([id, row]) => {
    const record = writes.get(id);
    return record === undefined ? [] : [{ row, record }];
  });
}
