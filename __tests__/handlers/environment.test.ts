import { TABLES } from "../../contract";
import {
  EnvironmentError,
  readEnvironment,
  readEvidenceKeyArn,
  readLogEnvironment,
  readPiecesEnvironment,
  readSignerEnvironment,
  readStreamEnvironment,
} from "../../handlers/runtime/environment";
import { VARIABLES } from "./variables";

test("a complete environment is read, and frozen", () => {
  const environment = readEnvironment(VARIABLES);
  expect(environment).toMatchObject({ indexShardCount: 8, fieldEncryption: "cached" });
  expect(Object.isFrozen(environment)).toBe(true);
});

test.each(Object.keys(VARIABLES))("a missing %s stops the cold start with a message that names it", (name) => {
  expect(() => readEnvironment({ ...VARIABLES, [name]: undefined })).toThrow(EnvironmentError);
  expect(() => readEnvironment({ ...VARIABLES, [name]: "" })).toThrow(name);
});

test.each([
  ["FIELD_ENCRYPTION", "none"],
  ["CONNECTIVITY", "internet"],
  ["INDEX_SHARD_COUNT", "0"],
  ["INDEX_SHARD_COUNT", "101"],
  ["INDEX_SHARD_COUNT", "2.5"],
  ["PRIVATE_API", "yes"],
  ["PRIVATE_API", ""],
  ["ACTORS_OF_CALLERS", ""],
  ["ACTORS_OF_CALLERS", "[]"],
  ["ACTORS_OF_CALLERS", '{"AROAEXAMPLE":"alice"}'],
  ["ACTORS_OF_CALLERS", '{"AROAEXAMPLE":[1]}'],
])("%s=%s is refused without echoing the value", (name, value) => {
  expect(() => readEnvironment({ ...VARIABLES, [name]: value })).toThrow(EnvironmentError);
});

test("the private API and the comparison of actors with callers are off unless they are set", () => {
  expect(readEnvironment(VARIABLES)).toMatchObject({ privateApi: false, actorRule: undefined });
  const set = { ...VARIABLES, PRIVATE_API: "on", ACTORS_OF_CALLERS: '{"AROAEXAMPLE":["alice"]}' };
  expect(readEnvironment(set)).toMatchObject({ privateApi: true, actorRule: { AROAEXAMPLE: ["alice"] } });
  expect(readEnvironment({ ...VARIABLES, ACTORS_OF_CALLERS: "{}" }).actorRule).toEqual({});
});

test.each([
  ["the public endpoint", "https://dynamodb.eu-west-1.amazonaws.com"],
  ["a look-alike", "https://vpce-1.dynamodb.eu-west-1.vpce.amazonaws.com.example.org"],
  ["another service's endpoint", "https://vpce-1.kms.eu-west-1.vpce.amazonaws.com"],
  ["a name of one zone", "https://vpce-0a1b2c3d-4e5f-eu-west-1a.dynamodb.eu-west-1.vpce.amazonaws.com"],
  ["no URL", "vpce-1"],
])("with PrivateLink %s is refused as the way to DynamoDB, with a NAT gateway beside it too", (_what, url) => {
  for (const CONNECTIVITY of ["privatelink", "nat-privatelink"]) {
    expect(readEnvironment({ ...VARIABLES, CONNECTIVITY }).indexShardCount).toBe(8);
    expect(() => readEnvironment({ ...VARIABLES, CONNECTIVITY, AWS_ENDPOINT_URL_DYNAMODB: url })).toThrow(
      EnvironmentError,
    );
  }
});

test("embedded, every endpoint must be on this machine", () => {
  const embedded = {
    ...VARIABLES,
    CONNECTIVITY: "embedded",
    AWS_ENDPOINT_URL: "http://127.0.0.1:4566",
    AWS_ENDPOINT_URL_DYNAMODB: "http://127.0.0.1:4566",
  };
  expect(readEnvironment(embedded).tables.paymentLedger).toBe("PaymentLedger");
  for (const name of ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_KMS"]) {
    expect(() => readEnvironment({ ...embedded, [name]: "https://kms.eu-west-1.amazonaws.com" })).toThrow(name);
  }
});

test("through NAT and on an endpoint of the user's own no host is prescribed", () => {
  for (const CONNECTIVITY of ["nat", "external"]) {
    expect(
      readEnvironment({ ...VARIABLES, CONNECTIVITY, AWS_ENDPOINT_URL_DYNAMODB: undefined }).tables.paymentLedger,
    ).toBe("PaymentLedger");
  }
});

const log = {
  LOG_STATE_TABLE: "payment-log-state-dev",
  EVIDENCE_BUCKET: "payment-evidence-dev-111122223333",
  LOG_ORIGIN: "payment-ledger/eu-west-1/111122223333/dev",
  EVIDENCE_KEY_ARN: "arn:aws:kms:eu-west-1:111122223333:key/3",
  CHECKPOINT_KEY_ARNS: "arn:aws:kms:eu-west-1:111122223333:key/4,arn:aws-cn:kms:cn-north-1:111122223333:key/5",
};

test("the log of proofs: its table, bucket, name and keys", () => {
  expect(readLogEnvironment(log)).toEqual({
    logStateTable: log.LOG_STATE_TABLE,
    evidenceBucket: log.EVIDENCE_BUCKET,
    logOrigin: log.LOG_ORIGIN,
  });
  expect(readSignerEnvironment(log).checkpointKeyArns).toEqual(log.CHECKPOINT_KEY_ARNS.split(","));
  expect(readEvidenceKeyArn(log)).toBe(log.EVIDENCE_KEY_ARN);
  expect(() => readEvidenceKeyArn({ ...log, EVIDENCE_KEY_ARN: undefined })).toThrow("EVIDENCE_KEY_ARN");
});

test.each(["LOG_STATE_TABLE", "EVIDENCE_BUCKET", "LOG_ORIGIN"])(
  "a missing %s stops the functions of the log",
  (name) => {
    expect(() => readLogEnvironment({ ...log, [name]: undefined })).toThrow(name);
  },
);

test.each(["a b", "a+b", "a\nb", "a\u00a0b", "a\u200bb"])(
  "a log named %j is refused: signature lines are taken apart at spaces, keys at plus signs",
  (LOG_ORIGIN) => {
    expect(() => readLogEnvironment({ ...log, LOG_ORIGIN })).toThrow(EnvironmentError);
  },
);

test.each([
  ["none", ""],
  ["no ARN", "key-4"],
  ["an ARN of another service", "arn:aws:s3:::bucket"],
  ["an empty one among them", `${log.CHECKPOINT_KEY_ARNS},`],
  ["the same twice", "arn:aws:kms:eu-west-1:111122223333:key/4,arn:aws:kms:eu-west-1:111122223333:key/4"],
])("signing keys: %s is refused without echoing the value", (_what, CHECKPOINT_KEY_ARNS) => {
  expect(() => readSignerEnvironment({ ...log, CHECKPOINT_KEY_ARNS })).toThrow("CHECKPOINT_KEY_ARNS");
});

test("the streams that feed the sealer are named for every table, as ARNs", () => {
  const streams = Object.values(TABLES).map(({ logicalName: table }) => ({
    table,
    streamArn: `arn:aws:dynamodb:eu-west-1:111122223333:table/${table}/stream/2026-11-21T09:00:00.000`,
  }));
  const pairs = streams.map(({ table, streamArn }) => `${table}=${streamArn}`);
  expect(readStreamEnvironment({ STREAM_ARNS: pairs.join(",") })).toEqual(streams);
  for (const value of [undefined, "", pairs.slice(1).join(","), pairs.join(",").replace("=arn:", "=none:")]) {
    expect(() => readStreamEnvironment({ STREAM_ARNS: value })).toThrow("STREAM_ARNS");
  }
});

test("checks run in pieces where their number is set, with the place of what the pieces read", () => {
  const [bucket, keyArn] = ["payment-exports", "arn:aws:kms:eu-west-1:111122223333:key/1"];
  const place = { EXPORT_BUCKET: bucket, EXPORT_KEY_ARN: keyArn };
  expect(readPiecesEnvironment(place)).toBeUndefined();
  expect(readPiecesEnvironment({ ...place, CHECK_PIECES: "64" })).toEqual({ count: 64, bucket, keyArn });
  for (const CHECK_PIECES of ["", "1", "0", "-2", "2.5", "many"]) {
    expect(() => readPiecesEnvironment({ ...place, CHECK_PIECES })).toThrow("CHECK_PIECES");
  }
  expect(() => readPiecesEnvironment({ EXPORT_BUCKET: bucket, CHECK_PIECES: "2" })).toThrow("EXPORT_KEY_ARN");
});
