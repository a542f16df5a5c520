/** The environment variables of each function: names, ARNs and settings, and never a secret. */

import { API_FUNCTIONS, ENV, type FunctionId, PIECES_PREFIXES, TABLES, type TableId } from "../contract";
import type { AppConfig } from "./config/types";
import type { DataOutputs, NetworkOutputs, SecurityOutputs } from "./contracts";

interface EnvironmentSources {
  readonly config: AppConfig;
  readonly security: SecurityOutputs;
  readonly network: NetworkOutputs;
  readonly data: DataOutputs;
  readonly logOrigin: string;
  readonly trailDigestPrefix: string;
}

export function environmentOf(functionId: FunctionId, args: EnvironmentSources): Record<string, string> {
  return {
    ...shared(args),
    ...ofCallers(functionId, args.config),
    ...own(functionId, args),
    ...ofPieces(functionId, args.config),
  };
}

function ofPieces(functionId: FunctionId, { checkPieces }: AppConfig): Record<string, string> {
  return functionId in PIECES_PREFIXES && checkPieces > 1 ? { [ENV.checkPieces]: String(checkPieces) } : {};
}

/** The functions whose requests claim an actor. */
const CLAIMING: readonly FunctionId[] = [...API_FUNCTIONS, "processPaymentMessages", "paymentProcessor"];

function ofCallers(functionId: FunctionId, { privateApi, actors, actorsOfCallers }: AppConfig): Record<string, string> {
  const hasApi = privateApi.state === "on" && (API_FUNCTIONS as readonly FunctionId[]).includes(functionId);
  const compares = actors === "caller" && CLAIMING.includes(functionId);
  return {
    ...(hasApi ? { [ENV.privateApi]: "on" } : {}),
    ...(compares ? { [ENV.actorRule]: JSON.stringify(actorsOfCallers) } : {}),
  };
}

function shared({ config, security, network, data }: EnvironmentSources): Record<string, string> {
  return {
    [ENV.ledgerTable]: data.tableNames.paymentLedger,
    [ENV.auditTable]: data.tableNames.paymentAuditTrail,
    [ENV.messagesTable]: data.tableNames.paymentMessages,
    [ENV.transactionsTable]: data.tableNames.paymentTransactions,
    [ENV.eventsTable]: data.tableNames.paymentEvents,
    [ENV.tokenKeyArn]: security.tokenKeyArn,
    [ENV.auditKeyArn]: security.auditKeyArn,
    [ENV.macKeyArn]: security.macKeyArn,
    [ENV.indexShardCount]: String(config.indexShardCount),
    [ENV.fieldEncryption]: config.fieldEncryption,
    [ENV.connectivity]: config.connectivity,
    // Through a gateway endpoint, DynamoDB has its usual name.
    ...(network.dynamodbEndpointHost === null
      ? {}
      : { [ENV.dynamodbEndpointUrl]: `https://${network.dynamodbEndpointHost}` }),
  };
}

function own(functionId: FunctionId, args: EnvironmentSources): Record<string, string> {
  const { config, security, data } = args;
  const { checkpointKeyArns, retiredCheckpointKeyArns } = security;
  const logState = { [ENV.logStateTable]: data.logStateTableName };
  switch (functionId) {
    case "paymentProcessor":
      return {
        [ENV.filesBucket]: data.bucketNames.files,
        [ENV.removeCardDataFiles]: String(config.removeCardDataFiles),
      };
    case "exportTables":
    case "checkBackup":
      return exporting(args);
    case "sealAuditTrail":
      return { ...logState, [ENV.logOrigin]: args.logOrigin };
    case "publishCheckpoint":
      return {
        ...log(args, checkpointKeyArns),
        ...logState,
        [ENV.evidenceKeyArn]: security.evidenceKeyArn,
        [ENV.streamArns]: byTable(data.streamArns),
      };
    case "sweepAuditTrail":
      // The checks know the retired generations too: the checkpoints that those signed stay part of the log.
      return {
        ...log(args, [...checkpointKeyArns, ...retiredCheckpointKeyArns]),
        ...logState,
        [ENV.evidenceKeyArn]: security.evidenceKeyArn,
        ...(config.checkPieces > 1
          ? { [ENV.exportBucket]: data.bucketNames.exports, [ENV.exportKeyArn]: security.dataKeyArn }
          : {}),
      };
    case "drillRestore":
      return {
        ...exporting(args),
        ...log(args, [...checkpointKeyArns, ...retiredCheckpointKeyArns]),
        [ENV.drillEveryDays]: String(config.drillEveryDays),
      };
    case "attestCallers":
      return {
        [ENV.evidenceBucket]: data.bucketNames.evidence,
        [ENV.evidenceKeyArn]: security.evidenceKeyArn,
        [ENV.trailBucket]: data.bucketNames.trail,
        [ENV.trailDigestPrefix]: args.trailDigestPrefix,
      };
    default:
      return {};
  }
}

function exporting({ security, data }: EnvironmentSources): Record<string, string> {
  return {
    [ENV.exportBucket]: data.bucketNames.exports,
    [ENV.exportKeyArn]: security.dataKeyArn,
    [ENV.tableArns]: byTable(data.tableArns),
  };
}

/** `logicalName=arn` pairs. */
function byTable(arns: Readonly<Record<TableId, string>>): string {
  return (Object.keys(TABLES) as TableId[]).map((id) => `${TABLES[id].logicalName}=${arns[id]}`).join(",");
}

function log({ data, logOrigin }: EnvironmentSources, keyArns: readonly string[]): Record<string, string> {
  return {
    [ENV.evidenceBucket]: data.bucketNames.evidence,
    [ENV.logOrigin]: logOrigin,
    [ENV.checkpointKeyArns]: keyArns.join(","),
  };
}
