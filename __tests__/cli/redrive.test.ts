import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CreateFunctionCommand, type InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { strToU8, zipSync } from "fflate";
import { findWaiting, type RedriveSettings, redrive } from "../../cli/redrive-queue";
import type { EmbeddedAws } from "../../local/embedded-aws";
import { type FaultProxy, startFaultProxy } from "../../local/fault-proxy";
import { PROJECT } from "../support/project-files";
import { sharedEmbeddedAws } from "../support/shared-aws";

const ACCOUNT = "111122223333";
const SECRET = "only-in-the-body-7f3a";

let aws: EmbeddedAws;
let proxy: FaultProxy;
let sqs: SQSClient;
let lambda: LambdaClient;
beforeAll(async () => {
  aws = await sharedEmbeddedAws();
  proxy = await startFaultProxy(aws.endpoint);
  const proxied = { ...aws.clientConfig(), endpoint: proxy.url, maxAttempts: 2 };
  sqs = new SQSClient(proxied);
  lambda = new LambdaClient(proxied);
});
afterAll(async () => {
  sqs?.destroy();
  lambda?.destroy();
  await proxy?.stop();
  await aws?.stop();
});
afterEach(() => proxy.reset());

let counter = 0;

/** A queue and its dead-letter queue; `put` puts a message where SQS would have moved it. */
async function queues(fifo: boolean) {
  counter += 1;
  const ending = fifo ? ".fifo" : "";
  const name = `audit-${counter}${ending}`;
  const settings = { VisibilityTimeout: "1", ...(fifo && { FifoQueue: "true" }) };
  const create = async (QueueName: string, Attributes: Record<string, string>) =>
    (await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? "";
  const deadLetterName = `audit-${counter}-dlq${ending}`;
  const deadLetterUrl = await create(deadLetterName, settings);
  const deadLetterTargetArn = `arn:aws:sqs:${aws.region}:${ACCOUNT}:${deadLetterName}`;
  const url = await create(name, {
    ...settings,
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 10 }),
  });
  const put = (body: string, group?: string, id?: string) =>
    sqs.send(
      new SendMessageCommand({
        QueueUrl: deadLetterUrl,
        MessageBody: body,
        MessageAttributes: { Origin: { DataType: "String", StringValue: "tests" } },
        ...(group !== undefined && { MessageGroupId: group, MessageDeduplicationId: id ?? body }),
      }),
    );
  return { name, url, deadLetterName, deadLetterUrl, put };
}

async function drain(url: string): Promise<Message[]> {
  const all: Message[] = [];
  const seen = new Set<string>();
  for (let empty = 0; empty < 2; ) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: 30,
        MessageSystemAttributeNames: ["All"],
        MessageAttributeNames: ["All"],
      }),
    );
    const fresh = Messages.filter(({ MessageId = "" }) => !seen.has(MessageId));
    // A message under way would hold up the rest of its group.
    for (const { MessageId = "", ReceiptHandle } of fresh) {
      seen.add(MessageId);
      await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
    }
    all.push(...fresh);
    empty = fresh.length === 0 ? empty + 1 : 0;
  }
  return all;
}

async function countIn(url: string): Promise<number> {
  const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [...names] }),
  );
  return names.reduce((sum, name) => sum + Number(Attributes[name]), 0);
}

const LATER_MS = 10 * 60 * 1000;
const run = (changes: Partial<RedriveSettings> = {}): RedriveSettings => ({
  sqs,
  lambda,
  functions: ["persist_payment_ledger-dev"],
  messagesMax: 1000,
  nowMs: () => Date.now() + LATER_MS,
  ...changes,
});
const bodies = (messages: readonly Message[]) => messages.map(({ Body }) => Body);

test("dead letters go back to their queue with their attributes, by either queue's name", async () => {
  const { name, url, deadLetterName, deadLetterUrl, put } = await queues(false);
  for (let index = 0; index < 25; index++) await put(`message-${index}`);
  const sources = { [deadLetterName]: name };
  expect(await findWaiting(name, sqs)).toEqual(await findWaiting(deadLetterName, sqs, sources));
  expect(await redrive(await findWaiting(name, sqs), run())).toEqual({
    moved: 25,
    tooFresh: 0,
    returned: 0,
    notUnderstood: 0,
  });
  expect(await countIn(deadLetterUrl)).toBe(0);
  const moved = await drain(url);
  expect(new Set(bodies(moved)).size).toBe(25);
  expect(moved[0]?.MessageAttributes?.["Origin"]?.StringValue).toBe("tests");
});

test("of a FIFO queue the order within each group stays, and so do group and deduplication id", async () => {
  const { name, url, put } = await queues(true);
  for (let index = 0; index < 30; index++) await put(`${index}`, `payment-${index % 3}`, `event-${index}`);
  expect(await redrive(await findWaiting(name, sqs), run())).toMatchObject({ moved: 30 });
  const moved = await drain(url);
  for (const group of ["payment-0", "payment-1", "payment-2"]) {
    const own = moved.filter(({ Attributes }) => Attributes?.MessageGroupId === group).map(({ Body }) => Number(Body));
    expect(own).toEqual(own.toSorted((a, b) => a - b));
    expect(own).toHaveLength(10);
  }
  expect(moved.map(({ Attributes }) => Attributes?.MessageDeduplicationId).sort()).toEqual(
    Array.from({ length: 30 }, (_, index) => `event-${index}`).sort(),
  );
});

test("what SQS would swallow as a repeat stays, and can be received again at once", async () => {
  const { name, url, deadLetterUrl, put } = await queues(true);
  await put("a", "payment-1");
  const waiting = await findWaiting(name, sqs);
  expect(await redrive(waiting, run({ nowMs: Date.now }))).toMatchObject({ moved: 0, tooFresh: 1 });
  expect(await countIn(url)).toBe(0);
  expect(bodies(await drain(deadLetterUrl))).toEqual(["a"]);
});

test("at most as many as wanted, and a dry run sends none", async () => {
  const { name, put } = await queues(false);
  for (let index = 0; index < 12; index++) await put(`m${index}`);
  expect(await redrive(await findWaiting(name, sqs), run({ messagesMax: 7 }))).toMatchObject({ moved: 7 });
  expect(await findWaiting(name, sqs)).toMatchObject({ kind: "deadLetters", count: 5 });
  const dry = await command([name, "--dry-run"]).ended;
  expect(dry.out).toContain("About 5 dead letters wait");
  expect(await findWaiting(name, sqs)).toMatchObject({ count: 5 });
});

test("when sending fails, everything not sent stays, and it says after how many", async () => {
  const { name, url, deadLetterUrl, put } = await queues(true);
  for (let index = 0; index < 6; index++) await put(`${index}`, "payment-1");
  proxy.inject({ target: "AmazonSQS.SendMessage", calls: { from: 3, to: 4 }, fault: { kind: "disconnect" } });
  await expect(redrive(await findWaiting(name, sqs), run())).rejects.toMatchObject({
    code: "STOPPED",
    counts: { moved: 2 },
  });
  expect(await countIn(url)).toBe(2);
  await delay(1_100);
  expect(await countIn(deadLetterUrl)).toBe(4);
  await redrive(await findWaiting(name, sqs), run());
  expect(bodies(await drain(url))).toEqual(["0", "1", "2", "3", "4", "5"]);
});

test("a queue that its policy closes to the caller is named as the cause, with the setting that opens it", async () => {
  const { name, put } = await queues(false);
  await put("waiting");
  const waiting = await findWaiting(name, sqs);
  const denied = Object.assign(new Error("not allowed"), { name: "AccessDeniedException" });
  const closed = { send: () => Promise.reject(denied) } as unknown as typeof sqs;
  await expect(redrive(waiting, run({ sqs: closed }))).rejects.toThrow(
    /^AccessDeniedException stopped it after 0 messages .* failureQueueReaderArns in stacks\/config\/environments\.ts/,
  );
});

test.each([false, true])("killed between sending and deleting, it loses nothing (FIFO: %s)", async (fifo) => {
  const { name, url, deadLetterUrl, put } = await queues(fifo);
  const sent = Array.from({ length: 8 }, (_, index) => `message-${index}`);
  for (const body of sent) await put(body, fifo ? "payment-1" : undefined);
  // A child's clock cannot be moved, so the FIFO run dies in this process by a call that never comes back.
  if (fifo) {
    proxy.inject({ target: "AmazonSQS.DeleteMessage", calls: { from: 4, to: 5 }, fault: { kind: "disconnect" } });
    await expect(redrive(await findWaiting(name, sqs), run())).rejects.toMatchObject({ code: "STOPPED" });
  } else {
    const killed = command([name], proxy.url);
    const before = () => void killed.child.kill("SIGKILL");
    proxy.inject({ target: "AmazonSQS.DeleteMessage", calls: { from: 4 }, fault: { kind: "hook", before } });
    expect((await killed.ended).signal).toBe("SIGKILL");
  }
  proxy.reset();
  await delay(1_200);
  expect(await countIn(url)).toBeGreaterThanOrEqual(4);
  const rest = await redrive(await findWaiting(name, sqs), run());
  expect(rest.moved).toBeGreaterThanOrEqual(4);
  expect(await countIn(deadLetterUrl)).toBe(0);
  const arrived = bodies(await drain(url));
  expect([...new Set(arrived)].sort()).toEqual(sent);
  // SQS knows the repeat of a FIFO queue by its id.
  if (fifo) expect(arrived).toEqual(sent);
});

describe("failed invocations", () => {
  const record = (functionName: string, payload: string) =>
    `{"version":"1.0","requestContext":{"requestId":"r","functionArn":"arn:aws:lambda:us-east-1:${ACCOUNT}:function:${functionName}:$LATEST","condition":"RetriesExhausted"},"requestPayload":${payload},"responsePayload":{"errorType":"TechnicalFault"}}`;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "payment-ledger-redrive-"));
    const code = `exports.handler = async (event) => { require("fs").appendFileSync(${JSON.stringify(path.join(folder, "calls"))}, JSON.stringify(event) + "\\n"); };`;
    await lambda.send(
      new CreateFunctionCommand({
        FunctionName: "persist_payment_ledger-dev",
        Runtime: "nodejs20.x",
        Handler: "index.handler",
        Role: `arn:aws:iam::${ACCOUNT}:role/x`,
        Code: { ZipFile: zipSync({ "index.js": strToU8(code) }) },
      }),
    );
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function failureQueue(...texts: readonly string[]): Promise<{ name: string; url: string }> {
    counter += 1;
    const name = `failures-${counter}`;
    const { QueueUrl: url = "" } = await sqs.send(
      new CreateQueueCommand({ QueueName: name, Attributes: { VisibilityTimeout: "1" } }),
    );
    for (const text of texts) await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: text }));
    return { name, url };
  }

  test("run again, and are gone from the queue", async () => {
    const { name, url } = await failureQueue(record("persist_payment_ledger-dev", '{"Amount":"1.10"}'));
    const waiting = await findWaiting(name, sqs);
    expect(waiting).toMatchObject({ kind: "failures", count: 1 });
    expect(await redrive(waiting, run())).toMatchObject({ moved: 1 });
    expect(await countIn(url)).toBe(0);
    const calls = path.join(folder, "calls");
    for (let tries = 0; tries < 100 && !existsSync(calls); tries++) await delay(50);
    expect(readFileSync(calls, "utf8")).toBe('{"Amount":"1.10"}\n');
  });

  test("with their own payload, digit for digit", async () => {
    const payload = `{"rate":1.10,"big":12345678901234567890,"list":[1e3,null],"note":"${SECRET}"}`;
    const { name } = await failureQueue(record("persist_payment_ledger-dev", payload));
    const payloads: string[] = [];
    const send = async ({ input }: InvokeCommand) => payloads.push(Buffer.from(input.Payload as Uint8Array).toString());
    await redrive(await findWaiting(name, sqs), run({ lambda: { send } as unknown as LambdaClient }));
    expect(payloads).toEqual([payload]);
  });

  test("of functions that are not ours, and messages that are no record, are left", async () => {
    const { name, url } = await failureQueue(
      record("delete_everything", "{}"),
      "not json",
      "[]",
      '{"requestContext":{}}',
      record("persist_payment_ledger-dev", "null"),
    );
    expect(await redrive(await findWaiting(name, sqs), run())).toMatchObject({ moved: 1, notUnderstood: 4 });
    expect(await countIn(url)).toBe(4);
  });

  test("that cannot be invoked stay", async () => {
    const { name, url } = await failureQueue(record("persist_payment_ledger-dev", "{}"));
    const [target] = ["POST /2015-03-31/functions/persist_payment_ledger-dev/invocations"];
    proxy.inject({ target: target ?? "", fault: { kind: "disconnect" } });
    await expect(redrive(await findWaiting(name, sqs), run())).rejects.toMatchObject({ code: "STOPPED" });
    expect(await countIn(url)).toBe(1);
  });
});

/** The command as `npx payledger redrive` starts it. */
function command(
  words: readonly string[],
  endpoint = aws.endpoint,
): { child: ChildProcess; ended: Promise<{ code: number | null; signal: string | null; out: string; err: string }> } {
  const { accessKeyId = "", secretAccessKey = "" } = aws.credentials ?? {};
  const env = {
    PATH: process.env["PATH"],
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: aws.region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  };
  const child = spawn(process.execPath, ["cli/launch.cjs", "redrive", ...words], {
    cwd: PROJECT,
    env,
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk.toString();
  });
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal, out, err }));
  return { child, ended };
}

describe("the command", () => {
  test("says what it did and shows no body", async () => {
    const { name, put } = await queues(false);
    await put(SECRET);
    const { code, out, err } = await command([name]).ended;
    expect({ code, out, err }).toEqual({ code: 0, out: "Sent again: 1.\n", err: "" });
  });

  test("says how it is used, and which queues there are", async () => {
    for (const words of [[], ["a", "b"], ["a", "--max", "0"], ["a", "--what"]]) {
      const { code, err } = await command(words).ended;
      expect(code).toBe(2);
      expect(err).toContain("Usage: npx payledger redrive QUEUE [--dry-run] [--max N]");
    }
    const { err } = await command([]).ended;
    expect(err).toContain("payment-audit-trail-dev.fifo, audit-trail-queue-dev, payment-ledger-failures-dev");
    const unknown = await command(["absent"]).ended;
    expect(unknown).toMatchObject({ code: 2 });
    expect(unknown.err).toContain("There is no queue absent");
  });
});
