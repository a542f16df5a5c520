import "./share-errors";
import {
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import { CreateKeyCommand, EncryptCommand, KMSClient } from "@aws-sdk/client-kms";
import type { EmbeddedAws } from "../../local/embedded-aws";
import { FAULTS, type FaultProxy, startFaultProxy } from "../../local/fault-proxy";
import type { RecordedCall } from "../../local/recorded-calls";
import { awsClients } from "../support/aws-clients";
import { sharedEmbeddedAws } from "../support/shared-aws";

const TABLE = "faults";
let aws: EmbeddedAws;
let proxy: FaultProxy;
let direct: DynamoDBClient;
let throughProxy: DynamoDBClient;

beforeAll(async () => {
  aws = await sharedEmbeddedAws();
  proxy = await startFaultProxy(aws.endpoint);
  direct = new DynamoDBClient(aws.clientConfig());
  throughProxy = new DynamoDBClient({ ...aws.clientConfig(), endpoint: proxy.url, maxAttempts: 1 });
  await direct.send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
    }),
  );
});

afterAll(async () => {
  await proxy?.stop();
  await aws?.stop();
});

beforeEach(() => proxy.reset());

function put(id: string) {
  return new PutItemCommand({ TableName: TABLE, Item: { id: { S: id } } });
}

function transaction(...ids: string[]) {
  const TransactItems = ids.map((id) => ({ Put: { TableName: TABLE, Item: { id: { S: id } } } }));
  return new TransactWriteItemsCommand({ TransactItems });
}

async function isStored(id: string): Promise<boolean> {
  const { Item } = await direct.send(new GetItemCommand({ TableName: TABLE, Key: { id: { S: id } } }));
  return Item !== undefined;
}

function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

test("without a rule calls go through, recorded by target with their input", async () => {
  await throughProxy.send(put("plain"));
  expect(await isStored("plain")).toBe(true);
  expect(proxy.calls).toEqual([
    {
      number: 1,
      target: "DynamoDB.PutItem",
      input: expect.objectContaining({ TableName: TABLE }),
      outcome: "forwarded",
      status: 200,
    },
  ]);
});

test("a transaction conflict reaches the SDK as its own exception, one reason an item in the order of the items", async () => {
  proxy.inject({ target: "DynamoDB.TransactWriteItems", fault: FAULTS.transactionConflict([1]) });
  const error = await errorOf(throughProxy.send(transaction("a", "b", "c")));
  expect(error).toBeInstanceOf(TransactionCanceledException);
  expect((error as TransactionCanceledException).CancellationReasons).toEqual([
    { Code: "None" },
    { Code: "TransactionConflict", Message: "Transaction is ongoing for the item" },
    { Code: "None" },
  ]);
  expect((error as Error).message).toContain("[None, TransactionConflict, None]");
  expect(await isStored("a")).toBe(false);
});

test.each([
  ["ProvisionedThroughputExceededException", FAULTS.provisionedThroughputExceeded(), 400],
  ["ThrottlingException", FAULTS.throttling(), 400],
  ["TransactionInProgressException", FAULTS.transactionInProgress(), 400],
  ["AccessDeniedException", FAULTS.accessDenied(), 400],
  ["InternalServerError", FAULTS.internalError(), 500],
])("%s has that name and status in the SDK, and nothing is written", async (name, fault, status) => {
  proxy.inject({ target: "DynamoDB.*", fault });
  const error = await errorOf(throughProxy.send(put(name)));
  expect(error).toMatchObject({ name, $metadata: { httpStatusCode: status } });
  expect((error as Error).message.length).toBeGreaterThan(10);
  expect(proxy.calls[0]).toMatchObject({ outcome: name, status });
  expect(await isStored(name)).toBe(false);
});

test("a throttle that ends is overcome by the SDK's own retries", async () => {
  const patient = new DynamoDBClient({ ...aws.clientConfig(), endpoint: proxy.url, maxAttempts: 3 });
  const rule = proxy.inject({ target: "DynamoDB.PutItem", calls: { from: 1, to: 2 }, fault: FAULTS.throttling() });
  await patient.send(put("patient"));
  expect(rule).toMatchObject({ matched: 3, fired: 2 });
  expect(proxy.count("DynamoDB.PutItem")).toBe(3);
});

test("a disconnect comes before the write, a lost answer after it; the client sees the same error", async () => {
  proxy.inject({ target: "*", calls: { from: 1 }, fault: FAULTS.disconnect() });
  proxy.inject({ target: "*", calls: { from: 1 }, fault: FAULTS.loseAnswer() });
  const before = await errorOf(throughProxy.send(put("before")));
  const after = await errorOf(throughProxy.send(put("after")));
  expect(before).toMatchObject({ code: "ECONNRESET" });
  expect(after).toMatchObject({ code: "ECONNRESET" });
  expect(await isStored("before")).toBe(false);
  expect(await isStored("after")).toBe(true);
});

test("connections are refused while the port is closed, and accepted on the same port again", async () => {
  await proxy.refuseConnections();
  const error = await errorOf(throughProxy.send(put("refused")));
  await proxy.acceptConnections();
  expect(error).toMatchObject({ code: "ECONNREFUSED" });
  await throughProxy.send(put("accepted"));
  expect(await isStored("accepted")).toBe(true);
});

test("hooks run right before and right after the service did its work", async () => {
  const seen: [string, boolean][] = [];
  const look = (when: string) => async (call: RecordedCall) => {
    seen.push([`${when} ${call.number}`, await isStored("hooked")]);
  };
  const fault = { kind: "hook", before: look("before"), after: look("after") } as const;
  proxy.inject({ target: "DynamoDB.PutItem", calls: { from: 2 }, fault });
  await throughProxy.send(put("unhooked"));
  await throughProxy.send(put("hooked"));
  await throughProxy.send(put("hooked again"));
  expect(seen).toEqual([
    ["before 2", false],
    ["after 2", true],
  ]);
});

test("a condition on the input chooses among calls, and a removed rule is over", async () => {
  const where = (call: RecordedCall) => JSON.stringify(call.input).includes("unlucky");
  const rule = proxy.inject({ target: "DynamoDB.PutItem", where, fault: FAULTS.internalError() });
  await throughProxy.send(put("lucky"));
  expect(await errorOf(throughProxy.send(put("unlucky")))).toMatchObject({ name: "InternalServerError" });
  rule.remove();
  await throughProxy.send(put("unlucky"));
  expect(rule).toMatchObject({ matched: 1, fired: 1 });
});

test("KMS is recognised and gets its own throttle", async () => {
  const kms = new KMSClient({ ...aws.clientConfig(), endpoint: proxy.url, maxAttempts: 1 });
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  proxy.inject({ target: "KMS.Encrypt", fault: FAULTS.throttling() });
  const encrypt = new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from("x") });
  expect(await errorOf(kms.send(encrypt))).toMatchObject({ name: "ThrottlingException" });
  expect(proxy.calls.map(({ target }) => target)).toEqual(["KMS.CreateKey", "KMS.Encrypt"]);
});

test("it forwards to this machine only", async () => {
  await expect(startFaultProxy("https://dynamodb.us-east-1.amazonaws.com")).rejects.toMatchObject({
    code: "ENDPOINT_NOT_LOOPBACK",
  });
});

test("a client in this process calls the service itself, noted like all others, until a fault may concern it", async () => {
  const { dynamo, destroy } = awsClients({ ...aws.clientConfig(), maxAttempts: 1 }, proxy);
  await dynamo.send(put("past-the-proxy"));
  const input = { TableName: TABLE, Item: { id: { S: "past-the-proxy" } } };
  expect(proxy.calls).toMatchObject([
    { number: 1, target: "DynamoDB.PutItem", input, outcome: "forwarded", status: 200 },
  ]);
  const rule = proxy.inject({ target: "DynamoDB.PutItem", fault: FAULTS.disconnect() });
  await expect(dynamo.send(put("never"))).rejects.toThrow();
  expect(await isStored("never")).toBe(false);
  rule.remove();
  await dynamo.send(put("past-it-again"));
  await proxy.refuseConnections();
  await expect(dynamo.send(put("never"))).rejects.toThrow("ECONNREFUSED");
  await proxy.acceptConnections();
  expect(proxy.calls.map(({ outcome }) => outcome)).toEqual(["forwarded", "disconnect", "forwarded"]);
  destroy();
});
