/** Commands that list show all of it, however many pages the ledger answers. */

import { type InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { PAYLEDGER } from "../../cli/payledger";
import { refusedWith } from "../../ledger/rules/answers";
import { refusal } from "../../ledger/rules/refusals";
import { runInProcess } from "../support/run-in-process";

/** A list of five in pages of two; a token is the place of the next one. */
const IDS = ["one", "two", "three", "four", "five"];
const TIME = "2026-11-28T12:00:00.000Z";
/** What the tables of payments and of audit records show. */
const ROW = {
  ...{ Amount: "1.00", Currency: "EUR", Status: "Success", Timestamp: TIME },
  ...{ RecordedAt: TIME, Action: "WRITE", Actor: "shop" },
};
let refusedToken: string | undefined;

function pageAt(listName: string, token: string | undefined): object {
  if (refusedToken !== undefined && token === refusedToken) return refusedWith(refusal("INVALID_PAGE_TOKEN"));
  const at = Number(token ?? 0);
  const next = at + 2;
  return {
    ...{ schemaVersion: 1, outcome: "answered", refused: [], AuditID: `read-${at}` },
    [listName]: IDS.slice(at, next).map((TransactionID) => ({ ...ROW, TransactionID })),
    ...(next < IDS.length ? { NextPageToken: String(next) } : {}),
  };
}

beforeEach(() => {
  refusedToken = undefined;
  const answer = async ({ input }: InvokeCommand) => {
    const { Query, Table, PageToken } = JSON.parse(Buffer.from(input.Payload as Uint8Array).toString());
    const listName = Query === "actor" ? "records" : Table === "payment-transactions" ? "transactions" : "payments";
    return { Payload: Buffer.from(JSON.stringify(pageAt(listName, PageToken))) };
  };
  jest.spyOn(LambdaClient.prototype, "send").mockImplementation(answer as never);
});
afterEach(() => jest.restoreAllMocks());

/** The endpoint is never asked. */
const run = (words: readonly string[]) =>
  runInProcess(PAYLEDGER, [...words, "--json", "--endpoint-url", "http://127.0.0.1:9", "--region", "eu-central-1"]);

const LISTS: [words: string, listName: string][] = [
  ["read --processor stripe", "payments"],
  ["read --failures", "payments"],
  ["read --book files", "transactions"],
  ["read --book messages", "payments"],
  ["trail --of shop", "records"],
];

test.each(LISTS)("payledger %s answers every page as one", async (words, listName) => {
  const { code, out } = await run(words.split(" "));
  const answer = JSON.parse(out);
  expect(answer[listName].map(({ TransactionID }: { TransactionID: string }) => TransactionID)).toEqual(IDS);
  expect(answer).not.toHaveProperty("NextPageToken");
  expect(code).toBe(0);
});

test.each(LISTS)(
  "payledger %s is refused when one of its pages is: it never shows a part as the whole",
  async (words) => {
    refusedToken = "2";
    const { code, out } = await run(words.split(" "));
    expect(JSON.parse(out)).toMatchObject({ outcome: "refused", code: "INVALID_PAGE_TOKEN" });
    expect(code).toBe(1);
  },
);
