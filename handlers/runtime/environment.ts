/** What the functions need from their environment. It is read once, at cold start; a missing value is an error that names it. */

import { CodedError, ENV, type LogicalTableName, TABLES, type TableId } from "../../contract";
import type { ActorRule } from "../../ledger/rules/actor-rule";
import { INDEX_SHARD_COUNT_MAX } from "../../ledger/rules/index-keys";

const CONNECTIVITIES = ["privatelink", "nat", "nat-privatelink", "embedded", "external"] as const;
type Connectivity = (typeof CONNECTIVITIES)[number];

export interface Environment {
  readonly functionName: string;
  readonly tables: Readonly<Record<TableId, string>>;
  readonly tokenKeyArn: string;
  readonly auditKeyArn: string;
  readonly macKeyArn: string;
  readonly indexShardCount: number;
  readonly fieldEncryption: "cached" | "per-record";
  readonly privateApi: boolean;
  /** Undefined where every claimed actor is accepted. */
  readonly actorRule: ActorRule | undefined;
}

export class EnvironmentError extends CodedError<"BAD_ENVIRONMENT"> {
  override readonly name = "EnvironmentError";

  constructor(message: string) {
    super("BAD_ENVIRONMENT", message);
  }
}

type Variables = Readonly<Record<string, string | undefined>>;

/** @throws EnvironmentError naming the variable, the rule and the remedy. Values are not echoed. */
export function readEnvironment(variables: Variables): Environment {
  const connectivity = oneOf(variables, ENV.connectivity, CONNECTIVITIES);
  checkEndpoints(connectivity, variables);
  return Object.freeze({
    functionName: required(variables, "AWS_LAMBDA_FUNCTION_NAME"),
    tables: {
      paymentLedger: required(variables, ENV.ledgerTable),
      paymentAuditTrail: required(variables, ENV.auditTable),
      paymentMessages: required(variables, ENV.messagesTable),
      paymentTransactions: required(variables, ENV.transactionsTable),
      paymentEvents: required(variables, ENV.eventsTable),
    },
    tokenKeyArn: required(variables, ENV.tokenKeyArn),
    auditKeyArn: required(variables, ENV.auditKeyArn),
    macKeyArn: required(variables, ENV.macKeyArn),
    indexShardCount: shardCount(variables),
    fieldEncryption: oneOf(variables, ENV.fieldEncryption, ["cached", "per-record"] as const),
    privateApi: variables[ENV.privateApi] !== undefined && oneOf(variables, ENV.privateApi, ["on"] as const) === "on",
    actorRule: actorRule(variables[ENV.actorRule]),
  });
}

export interface FilesEnvironment {
  readonly filesBucket: string;
  readonly removeCardDataFiles: boolean;
}

/** What only the payment processor needs. @throws EnvironmentError as `readEnvironment` does. */
export function readFilesEnvironment(variables: Variables): FilesEnvironment {
  return {
    filesBucket: required(variables, ENV.filesBucket),
    removeCardDataFiles: oneOf(variables, ENV.removeCardDataFiles, ["true", "false"] as const) === "true",
  };
}

export interface BackupEnvironment {
  readonly exportBucket: string;
  readonly exportKeyArn: string;
  readonly tables: readonly { readonly table: LogicalTableName; readonly arn: string }[];
}

/** What only the functions of the exports need. @throws EnvironmentError as `readEnvironment` does. */
export function readBackupEnvironment(variables: Variables): BackupEnvironment {
  const tables = arnsByTable(variables, ENV.tableArns);
  return {
    exportBucket: required(variables, ENV.exportBucket),
    exportKeyArn: required(variables, ENV.exportKeyArn),
    tables,
  };
}

/** @throws EnvironmentError for a variable that does not name one ARN for each table. */
function arnsByTable(variables: Variables, name: string) {
  const pairs = required(variables, name)
    .split(",")
    .map((pair) => pair.split("="));
  return Object.values(TABLES).map(({ logicalName: table }) => {
    const arn = pairs.find(([each]) => each === table)?.[1];
    if (arn?.startsWith("arn:")) return { table, arn };
    throw new EnvironmentError(
      `The environment variable ${name} has no ARN for ${table}. It names every table; deploy the functions stack again.`,
    );
  });
}

/** The streams that feed the sealer. @throws EnvironmentError as `readEnvironment` does. */
export function readStreamEnvironment(variables: Variables) {
  return arnsByTable(variables, ENV.streamArns).map(({ table, arn }) => ({ table, streamArn: arn }));
}

export interface LogStateEnvironment {
  readonly logStateTable: string;
  readonly logOrigin: string;
}

/** What a function needs to append to the log of proofs. @throws EnvironmentError as `readEnvironment` does. */
export function readLogStateEnvironment(variables: Variables): LogStateEnvironment {
  return { logStateTable: required(variables, ENV.logStateTable), logOrigin: originOf(variables) };
}

export interface LogEnvironment extends LogStateEnvironment {
  readonly evidenceBucket: string;
}

/** What a function needs to append to the log and to read or write its evidence. @throws EnvironmentError as `readEnvironment` does. */
export function readLogEnvironment(variables: Variables): LogEnvironment {
  return { ...readLogStateEnvironment(variables), evidenceBucket: required(variables, ENV.evidenceBucket) };
}

/** What only who puts evidence needs. @throws EnvironmentError as `readEnvironment` does. */
export function readEvidenceKeyArn(variables: Variables): string {
  return required(variables, ENV.evidenceKeyArn);
}

function originOf(variables: Variables): string {
  const logOrigin = required(variables, ENV.logOrigin);
  if (/^[^\s+\p{C}]+$/u.test(logOrigin)) return logOrigin;
  throw new EnvironmentError(
    `The environment variable ${ENV.logOrigin} has white space or a plus sign, which the names of signing keys must not have; correct the configuration and deploy again.`,
  );
}

export interface DrillEnvironment {
  readonly evidenceBucket: string;
  readonly logOrigin: string;
  readonly everyDays: number;
}

/** What only the restore drill needs, which never sees the log's own state. @throws EnvironmentError as `readEnvironment` does. */
export function readDrillEnvironment(variables: Variables): DrillEnvironment {
  const everyDays = Number(required(variables, ENV.drillEveryDays));
  if (!Number.isInteger(everyDays) || everyDays < 1) {
    throw new EnvironmentError(
      `The environment variable ${ENV.drillEveryDays} is not a whole number from 1; correct the configuration and deploy again.`,
    );
  }
  return { evidenceBucket: required(variables, ENV.evidenceBucket), logOrigin: originOf(variables), everyDays };
}

export interface TrailEnvironment {
  readonly evidenceBucket: string;
  readonly trailBucket: string;
  readonly trailDigestPrefix: string;
}

/** What only the attestation of callers needs. @throws EnvironmentError as `readEnvironment` does. */
export function readTrailEnvironment(variables: Variables): TrailEnvironment {
  return {
    evidenceBucket: required(variables, ENV.evidenceBucket),
    trailBucket: required(variables, ENV.trailBucket),
    trailDigestPrefix: required(variables, ENV.trailDigestPrefix),
  };
}

export interface SignerEnvironment {
  readonly checkpointKeyArns: readonly string[];
}

/** What needs the keys that sign checkpoints, or their public halves. @throws EnvironmentError as `readEnvironment` does. */
export function readSignerEnvironment(variables: Variables): SignerEnvironment {
  const checkpointKeyArns = required(variables, ENV.checkpointKeyArns).split(",");
  const areKeys = checkpointKeyArns.every((arn) => /^arn:[a-z-]+:kms:/.test(arn));
  if (areKeys && new Set(checkpointKeyArns).size === checkpointKeyArns.length) return { checkpointKeyArns };
  throw new EnvironmentError(
    `The environment variable ${ENV.checkpointKeyArns} is not a list of the ARNs of different KMS keys; deploy the functions stack again.`,
  );
}

export interface PiecesEnvironment {
  readonly count: number;
  readonly bucket: string;
  readonly keyArn: string;
}

/** Of a check in pieces; undefined in a deployment that makes the check in one function. @throws EnvironmentError as `readEnvironment` does. */
export function readPiecesEnvironment(variables: Variables): PiecesEnvironment | undefined {
  const count = variables[ENV.checkPieces];
  if (count === undefined) return undefined;
  if (/^[0-9]{1,3}$/.test(count) && Number(count) > 1) {
    return {
      count: Number(count),
      bucket: required(variables, ENV.exportBucket),
      keyArn: required(variables, ENV.exportKeyArn),
    };
  }
  throw new EnvironmentError(
    `The environment variable ${ENV.checkPieces} is not a number of pieces; deploy the functions stack again.`,
  );
}

function required(variables: Variables, name: string): string {
  const value = variables[name];
  if (value === undefined || value === "") {
    throw new EnvironmentError(
      `The environment variable ${name} is missing. The functions stack sets it; deploy that stack again.`,
    );
  }
  return value;
}

function oneOf<const T extends readonly string[]>(variables: Variables, name: string, allowed: T): T[number] {
  const value = required(variables, name);
  if (allowed.includes(value)) return value;
  throw new EnvironmentError(
    `The environment variable ${name} has an unknown value. It is one of ${allowed.join(", ")}; correct the configuration and deploy again.`,
  );
}

/** A rule that cannot be read must not become no rule. */
function actorRule(text: string | undefined): ActorRule | undefined {
  if (text === undefined) return undefined;
  try {
    const rule: unknown = JSON.parse(text);
    const isRule =
      typeof rule === "object" && rule !== null && !Array.isArray(rule) && Object.values(rule).every(isListOfTexts);
    if (isRule) return rule as ActorRule;
  } catch {
    // Said below.
  }
  throw new EnvironmentError(
    `The environment variable ${ENV.actorRule} is not a JSON object of lists of actors; deploy the functions stack again.`,
  );
}

function isListOfTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

function shardCount(variables: Variables): number {
  const count = Number(required(variables, ENV.indexShardCount));
  if (Number.isInteger(count) && count >= 1 && count <= INDEX_SHARD_COUNT_MAX) return count;
  throw new EnvironmentError(
    `The environment variable ${ENV.indexShardCount} is not a whole number from 1 to ${INDEX_SHARD_COUNT_MAX}; correct the configuration and deploy again.`,
  );
}

/**
 * PrivateLink to DynamoDB has no private DNS: only the endpoint's own host name keeps the traffic off the public
 * addresses, so in that mode any other host is refused. Embedded, everything must stay on this machine.
 */
function checkEndpoints(connectivity: Connectivity, variables: Variables): void {
  if (connectivity === "privatelink" || connectivity === "nat-privatelink") {
    const host = hostOf(required(variables, ENV.dynamodbEndpointUrl), ENV.dynamodbEndpointUrl);
    // The endpoint's name in all zones. A name with a zone in it, `vpce-1-2-us-east-1a`, works until that zone fails.
    if (/^vpce-[a-z0-9]+-[a-z0-9]+\.dynamodb\.[a-z0-9-]+\.vpce\.amazonaws\.com$/.test(host)) return;
    throw new EnvironmentError(
      `${ENV.dynamodbEndpointUrl} does not name a DynamoDB VPC endpoint. With PrivateLink the functions reach DynamoDB through nothing else; deploy the network stack and then the functions stack again.`,
    );
  }
  if (connectivity === "embedded") {
    for (const name of [
      "AWS_ENDPOINT_URL",
      ...Object.keys(variables).filter((key) => key.startsWith("AWS_ENDPOINT_URL_")),
    ]) {
      const host = hostOf(required(variables, name), name);
      if (host === "127.0.0.1" || host === "localhost" || host === "[::1]") continue;
      throw new EnvironmentError(
        `${name} leaves this machine. The embedded AWS is reached on loopback only; start it again with the project's own command.`,
      );
    }
  }
}

function hostOf(url: string, name: string): string {
  if (URL.canParse(url)) return new URL(url).hostname;
  throw new EnvironmentError(`${name} is not a URL; deploy the functions stack again.`);
}
