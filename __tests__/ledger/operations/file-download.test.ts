/** A download that ends while the rows of its file are recorded: what a reader that takes long meets. */

import { hash } from "node:crypto";
import { PaymentFiles } from "../../../ledger/files/payment-files";
import type { FileReport } from "../../../ledger/files/progress";
import { isHarmless } from "../../../ledger/operations/claims";
import { runPaymentProcessor } from "../../../ledger/operations/payment-processor";
import { textOf } from "../../../ledger/rules/stored-item";
import { MemoryAws } from "../../../tools/bench/fuzz/memory-aws";
import { stubCall, stubServices } from "../rules/stub-services";

const BUCKET = "payment-files-test";
const KEY = "payments/a.ndjson";
const ROWS = 200;
const FACT = { TransactionID: "order-1", Kind: "FEE", Mode: "fact", Amount: "0.01", Currency: "EUR", Actor: "feed" };
const PAYMENT = { amount: "1.00", currency: "EUR", cardLast4: "4242" };
/** Every fifth row is a fact about the same payment. */
const rows = Array.from({ length: ROWS }, (_, index) =>
  index % 5 === 0 ? { ...FACT, EventID: `event-${index}` } : { ...PAYMENT, transactionId: `file-${index}` },
);
const ids = rows.flatMap((row) => ("EventID" in row ? [row.EventID] : []));
const text = rows.map((row) => JSON.stringify(row)).join("\n");

/** @param lengths what each download gives before it ends; those behind them are whole. The first one verifies the file. */
function world(lengths: readonly number[], remainingMs = 900_000) {
  const aws = new MemoryAws();
  aws.objects.set(KEY, { bytes: Buffer.from(text), versionId: "v1" });
  let downloads = 0;
  aws.s3.middlewareStack.add(
    (next, context) => async (args) => {
      const answer = await next(args);
      const isFile = context.commandName === "GetObjectCommand" && (args.input as { Key?: string }).Key === KEY;
      if (!isFile) return answer;
      const end = lengths[downloads] ?? text.length;
      downloads += 1;
      async function* body() {
        for (let at = 0; at < end; at += 1_000) yield Buffer.from(text.slice(at, Math.min(end, at + 1_000)));
        if (end < text.length) throw Object.assign(new Error("no activity"), { name: "TimeoutError" });
      }
      Object.assign(answer.output, { Body: body() });
      return answer;
    },
    { step: "initialize", name: "ending", priority: "high" },
  );
  const services = { ...stubServices(), dynamo: aws.dynamo };
  const settings = { files: new PaymentFiles(aws.s3, BUCKET), removeCardDataFiles: true };
  const call = { ...stubCall("payment-processor"), remainingMs: () => remainingMs };
  const answer = (key: string) => {
    const object = key === KEY ? { key, versionId: "v1" } : { key };
    const s3 = { bucket: { name: BUCKET }, object };
    const event = { Records: [{ eventSource: "aws:s3", eventName: "ObjectCreated:Put", s3 }] };
    return runPaymentProcessor(event, call, services, settings);
  };
  const run = async (key: string) => {
    const { body } = await answer(key);
    return JSON.parse(body).files[0] as { finished: boolean; counts: FileReport["counts"] };
  };
  const life = () => {
    const events = [...(aws.tables.get("PaymentEvents")?.values() ?? [])] as Parameters<typeof textOf>[0][];
    return events.map((event) => textOf(event, "EventID"));
  };
  return { aws, answer, run, life, downloads: () => downloads };
}

const whole = { stored: ROWS, duplicate: 0, conflict: 0, refused: 0 };
const [half, most] = [Math.floor(text.length * 0.5), Math.floor(text.length * 0.8)];

test("the rest of the file is read anew, and each row is recorded and counted once", async () => {
  const { run, life, downloads } = world([text.length, half, most]);
  expect(await run(KEY)).toEqual({ finished: true, counts: whole });
  expect([life(), downloads()]).toEqual([ids, 4]);
});

test("with little time left the next run reads the rest", async () => {
  const { aws, run, life } = world([text.length, half], 299_999);
  const first = await run(KEY);
  expect(first.finished).toBe(false);
  // The rows of a batch that had not come whole are the next run's.
  expect(first.counts).toMatchObject({ duplicate: 0, refused: 0 });
  expect(first.counts.stored).toBeGreaterThan(0);
  const [continuation = ""] = [...aws.objects.keys()].filter((key) => key.startsWith("continue/"));
  expect(await run(continuation)).toEqual({ finished: true, counts: whole });
  expect(life()).toEqual(ids);
});

test("a continuation goes on also where the hash in its name looks like a card number", async () => {
  const { aws, run, life } = world([text.length, half], 299_999);
  await run(KEY);
  const [continuation = ""] = [...aws.objects.keys()].filter((key) => key.startsWith("continue/"));
  const keys = Array.from({ length: 20_000 }, (_, index) => `continue/${hash("sha256", String(index))}/1.json`);
  const likeCardNumber = keys.find((key) => !isHarmless(key)) ?? "";
  expect(likeCardNumber).not.toBe("");
  aws.objects.set(likeCardNumber, aws.objects.get(continuation) ?? { bytes: Buffer.alloc(0), versionId: "" });
  expect(await run(likeCardNumber)).toEqual({ finished: true, counts: whole });
  expect(life()).toEqual(ids);
});

test.each(["continue/4111111111111111.json", `continue/${"a".repeat(64)}/4111111111111111.json`])(
  "a name in the folder of continuations that the processor does not make is refused for its card number: %s",
  async (key) => {
    const { body } = await world([]).answer(key);
    expect(JSON.parse(body)).toMatchObject({ error: "Card data in the name of a file", code: "CARD_DATA" });
    expect(body).not.toContain("4111");
  },
);

test.each([
  ["the verification", [half]],
  ["the rows before the first batch", [text.length, 1_000]],
])("one that ends in %s fails the run, so that Lambda tries it again", async (_where, lengths) => {
  const { run, life } = world(lengths);
  await expect(run(KEY)).rejects.toThrow("no activity");
  expect(life()).toEqual([]);
  expect(await run(KEY)).toEqual({ finished: true, counts: whole });
});
