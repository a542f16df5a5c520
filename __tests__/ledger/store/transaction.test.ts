/** What is sent to DynamoDB of a group of puts: the text that each record's MAC was made over, signed and retried by the SDK. */

import { DynamoDBClient, TransactWriteItemsCommand } from "@aws-sdk/client-dynamodb";
import type { AuditEntry } from "../../../ledger/rules/audit-entry";
import { auditPut } from "../../../ledger/store/audit-record";
import { type Put, putAction, transact, transactPuts } from "../../../ledger/store/transaction";
import { stubServices } from "../rules/stub-services";

interface Request {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** A client whose requests end here, and the requests; the first `failures` of them are answered with a fault. */
function recordingClient(failures = 0): { dynamo: DynamoDBClient; requests: Request[] } {
  const requests: Request[] = [];
  const dynamo = new DynamoDBClient({
    region: "eu-central-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    requestHandler: {
      handle: async (request: Request) => {
        requests.push({ headers: request.headers, body: new TextDecoder().decode(request.body as Uint8Array) });
        const statusCode = requests.length <= failures ? 500 : 200;
        return { response: { statusCode, headers: {}, body: Buffer.from("{}") } };
      },
    },
  });
  return { dynamo, requests };
}

const puts = () =>
  Promise.all(
    ["event-1", '\u{1f600} "two"'].map((actor, index) => {
      const entry: AuditEntry = {
        auditId: `event-${index}`,
        action: "READ",
        actor,
        timestamp: "2026-11-20T10:00:00.000Z",
        recordedAt: "2026-11-21T12:00:00.000Z",
        caller: { requestId: "r", functionName: "f" },
        origin: "EVENT",
        query: { recordIds: ["txn-1"] },
        response: { recordIds: [], result: "returned" },
      };
      return auditPut(entry, stubServices());
    }),
  );

test("the body holds the text of each record, and says what the SDK would have said", async () => {
  const records = await puts();
  const { dynamo, requests } = recordingClient();
  expect(await transactPuts(dynamo, records)).toEqual({ committed: true });
  const [{ body, headers } = { body: "", headers: {} }] = requests;
  for (const { text } of records) expect(body).toContain(`"Item":${text},`);
  expect(headers["content-length"]).toBe(String(Buffer.byteLength(String(body))));
  expect(headers["authorization"]).toMatch(/^AWS4-HMAC-SHA256 /);

  const { ClientRequestToken } = JSON.parse(String(body));
  const ofSdk = recordingClient();
  await ofSdk.dynamo.send(new TransactWriteItemsCommand({ ClientRequestToken, TransactItems: records.map(putAction) }));
  expect(JSON.parse(String(body))).toEqual(JSON.parse(String(ofSdk.requests[0]?.body)));
});

test("an attempt that failed is sent again with the same body, and so with the same token", async () => {
  const { dynamo, requests } = recordingClient(2);
  expect(await transactPuts(dynamo, await puts())).toEqual({ committed: true });
  expect(requests).toHaveLength(3);
  expect(new Set(requests.map(({ body }) => body)).size).toBe(1);
});

test("what watches the client's commands sees the records", async () => {
  const records = await puts();
  const { dynamo } = recordingClient();
  const seen: unknown[] = [];
  dynamo.middlewareStack.add(
    (next) => (args) => {
      seen.push(args.input);
      return next(args);
    },
    { step: "initialize", priority: "high" },
  );
  await transactPuts(dynamo, records);
  expect(seen).toMatchObject([{ TransactItems: records.map(putAction) }]);
});

test("a client that keeps its middlewares sends each transaction's own body", async () => {
  const { dynamo, requests } = recordingClient();
  dynamo.config.cacheMiddleware = true;
  const records = await puts();
  await Promise.all(records.map((record) => transactPuts(dynamo, [record])));
  await transact(dynamo, [putAction(records[0] as Put)]);
  expect(requests.map(({ body }) => JSON.parse(String(body)).TransactItems)).toMatchObject(
    [...records, records[0]].map((record) => [{ Put: { Item: JSON.parse((record as Put).text) } }]),
  );
});
