/** `payledger send queue | fifo | file`: payments and audit events by the ways that take no call. */

import { readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetQueueUrlCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { FILE_PREFIXES } from "../contract";
import type { CommandBody } from "../evidence/commands/command";
import { ANSWER_IS_NO, DONE } from "../evidence/commands/program";
import { loadConfig } from "../stacks/config/load";
import { namesOf } from "../stacks/config/names";
import { onAws } from "./aws";
import { bucketsOfEnvironment } from "./environment";
import { CommandError } from "./errors";

async function queueUrl(sqs: SQSClient, name: string): Promise<string> {
  const { QueueUrl = "" } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
  return QueueUrl;
}

/** The queue deletes a message when the function has taken it; the trail has the result. */
export const sendQueue: CommandBody = onAws({
  operands: "ID",
  details: "A payment as a message on audit-trail-queue. Read it back: read ID --book messages.",
  options: {
    amount: { kind: "one", value: "AMOUNT", required: true, about: 'Decimal text, as "10.50".' },
    currency: { kind: "one", value: "CODE", about: "ISO 4217 code, as EUR." },
    time: { kind: "one", value: "TIME", about: "When the payment was processed. Default: when it is recorded." },
  },
  examples: ["send queue pay-0001 --amount 10.50 --currency EUR"],
  run: async (args, { answer }) => {
    const paymentId = args.onlyOperand("id");
    const [currency, time] = [args.one("currency"), args.one("time")];
    const message = {
      paymentId,
      amount: args.needed("amount"),
      ...(currency === undefined ? {} : { currency }),
      ...(time === undefined ? {} : { timestamp: time }),
    };
    const sqs = new SQSClient({});
    const url = await queueUrl(sqs, namesOf(loadConfig()).queues.paymentMessages);
    const { MessageId } = await sqs.send(
      new SendMessageCommand({ QueueUrl: url, MessageBody: JSON.stringify(message) }),
    );
    answer(
      { queue: url, messageId: MessageId, message },
      `${paymentId} is in the queue, message ${MessageId}.\nRead it back: npx payledger read ${paymentId} --book messages`,
    );
    return DONE;
  },
});

export const sendEvent: CommandBody = onAws({
  operands: "FILE",
  details:
    "One audit event of another service, a JSON object in a file (- is standard input), on payment-audit-trail.fifo. Events of one group keep their order; an id that was used in the last five minutes is taken for a repeat.",
  options: {
    group: { kind: "one", value: "ID", required: true, about: "Message group: the payment that the event is about." },
    id: { kind: "one", value: "ID", required: true, about: "Deduplication id: names the event." },
  },
  examples: ["send fifo event.json --group txn-0001 --id crm-000342"],
  run: async (args, { answer }) => {
    const text = textAt(args.onlyOperand("file"));
    const sqs = new SQSClient({});
    const url = await queueUrl(sqs, namesOf(loadConfig()).queues.auditEvents);
    const { MessageId, SequenceNumber } = await sqs.send(
      new SendMessageCommand({
        QueueUrl: url,
        MessageBody: text,
        MessageGroupId: args.needed("group"),
        MessageDeduplicationId: args.needed("id"),
      }),
    );
    answer(
      { queue: url, messageId: MessageId, sequenceNumber: SequenceNumber },
      `The event is in the queue, number ${SequenceNumber}.`,
    );
    return DONE;
  },
});

const REPORT_POLL_MS = 500;
const REPORT_WAIT_SECONDS_DEFAULT = 60;

export const sendFile: CommandBody = onAws({
  operands: "FILE",
  details:
    "A payment file (JSON, one object a line, CSV; each also as gzip) to the bucket, and then its report. Ends with 1 when rows were refused or are in conflict.",
  options: {
    "wait-seconds": {
      kind: "one",
      value: "N",
      about: `How long to wait for the report; 0 does not wait. Default: ${REPORT_WAIT_SECONDS_DEFAULT}.`,
    },
  },
  examples: ["send file samples/files/gamma-2025-09-01.csv"],
  run: async (args, { answer, tell }) => {
    const file = args.onlyOperand("file");
    const body = bytesAt(file);
    const bucket = (await bucketsOfEnvironment()).files;
    const key = `${FILE_PREFIXES.payments}${new Date().toISOString().slice(0, 10)}/${path.basename(file)}`;
    // Paths instead of host names for buckets, because an endpoint on this machine has no such names.
    const s3 = new S3Client({ forcePathStyle: true });
    const { VersionId = "" } = await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
    const reportKey = `${FILE_PREFIXES.reports}${key}/${VersionId}/summary.json`;
    const seconds = args.number("wait-seconds", 0) ?? REPORT_WAIT_SECONDS_DEFAULT;
    if (seconds > 0) tell(`${key} is in ${bucket}; waiting for its report.`);
    const report = await reportAt(s3, bucket, reportKey, seconds);
    if (report === undefined) {
      answer(
        { bucket, key, versionId: VersionId, report: null },
        `${key} is in ${bucket}. Its report: s3://${bucket}/${reportKey}`,
      );
      return DONE;
    }
    const { counts } = report;
    answer(
      { bucket, key, versionId: VersionId, report },
      `${key}: ${Object.entries(counts)
        .map(([outcome, count]) => `${outcome} ${count}`)
        .join(", ")}.\nReport: s3://${bucket}/${reportKey}`,
    );
    return (counts["refused"] ?? 0) + (counts["conflict"] ?? 0) > 0 ? ANSWER_IS_NO : DONE;
  },
});

interface FileReport {
  readonly counts: Readonly<Record<string, number>>;
}

async function reportAt(s3: S3Client, bucket: string, key: string, seconds: number): Promise<FileReport | undefined> {
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; ) {
    try {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return JSON.parse((await Body?.transformToString()) ?? "{}") as FileReport;
    } catch (error) {
      if (!(error instanceof NoSuchKey)) throw error;
    }
    await delay(REPORT_POLL_MS);
  }
  return undefined;
}

function textAt(place: string): string {
  return bytesAt(place === "-" ? 0 : place).toString("utf8");
}

function bytesAt(place: string | number): Buffer {
  try {
    return readFileSync(place);
  } catch (error) {
    if (typeof place === "number") throw error;
    throw new CommandError("FILE_MISSING", `There is no file ${place}, or it cannot be read. Correct the path.`, {
      cause: error,
    });
  }
}
