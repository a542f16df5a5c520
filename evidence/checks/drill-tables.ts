/** The tables that a restore drill makes, looks at and removes: its own names only, whatever it is asked. */

import {
  DeleteTableCommand,
  DescribeImportCommand,
  type DynamoDBClient,
  ImportConflictException,
  ImportNotFoundException,
  ImportTableCommand,
  LimitExceededException,
  ResourceInUseException,
  ResourceNotFoundException,
} from "@aws-sdk/client-dynamodb";
import { shapeOf } from "../../backup/export-lines";
import { describeTable } from "../../backup/restore";
import { keyAttributes } from "../../backup/restore-plan";
import { DRILL_TABLE_PREFIX, type LogicalTableName } from "../../contract";
import { LogCheckError } from "./errors";

/** What DynamoDB takes as a table name, behind the drill's own prefix. */
const DRILL_TABLE = new RegExp(`^${DRILL_TABLE_PREFIX}[A-Za-z0-9_.-]{1,200}$`);

/** @param mark tells the tables of another drill, from a machine, from those of the function. */
export function scratchNameOf(deployedName: string, mark = ""): string {
  return `${DRILL_TABLE_PREFIX}${mark}${deployedName}`;
}

export interface ImportRequest {
  readonly table: LogicalTableName;
  readonly deployedName: string;
  /** Name of the table that is made. */
  readonly into: string;
  readonly bucket: string;
  /** Account of the bucket, which is the table's. */
  readonly account: string;
  readonly dataFolder: string;
  /** The same request under the same token starts nothing twice. */
  readonly token: string;
}

/** `taken`: a table of that name is there, or the token was used for another import. `busy`: DynamoDB takes no further import now. */
export type ImportAnswer = { readonly importArn: string } | "taken" | "busy";

export type ImportResult =
  | { readonly status: "running" | "unknown" }
  | { readonly status: "completed"; readonly errors: number }
  | { readonly status: "failed"; readonly code: string };

export interface DrillTables {
  /** Has DynamoDB make the scratch table of a deployed one, encrypted as that one, and fill it from the export. */
  startImport(request: ImportRequest): Promise<ImportAnswer>;
  importResult(importArn: string): Promise<ImportResult>;
  /** Undefined where the table does not exist. */
  statusOf(scratchName: string): Promise<string | undefined>;
  /** Asks for its removal; one that is being made or removed is left for a later step. */
  remove(scratchName: string): Promise<void>;
}

export function drillTables(dynamo: DynamoDBClient): DrillTables {
  return {
    startImport: async (request) => {
      assertDrillTable(request.into);
      const original = await describeTable(dynamo, request.deployedName);
      try {
        const answer = await dynamo.send(importCommand(request, original?.SSEDescription?.KMSMasterKeyArn));
        const importArn = answer.ImportTableDescription?.ImportArn;
        if (importArn === undefined) throw new Error("DynamoDB started an import without an ARN.");
        return { importArn };
      } catch (error) {
        if (error instanceof ResourceInUseException || error instanceof ImportConflictException) return "taken";
        if (error instanceof LimitExceededException) return "busy";
        throw error;
      }
    },
    importResult: (importArn) => importResultOf(dynamo, importArn),
    statusOf: async (scratchName) => {
      assertDrillTable(scratchName);
      return (await describeTable(dynamo, scratchName))?.TableStatus;
    },
    remove: async (scratchName) => {
      assertDrillTable(scratchName);
      try {
        await dynamo.send(new DeleteTableCommand({ TableName: scratchName }));
      } catch (error) {
        if (error instanceof ResourceInUseException || error instanceof ResourceNotFoundException) return;
        throw error;
      }
    },
  };
}

/** Called before every call that makes or removes a table, so that no state and no argument can name another one. */
export function assertDrillTable(name: string): void {
  if (DRILL_TABLE.test(name)) return;
  throw new LogCheckError(
    "NOT_A_DRILL_TABLE",
    `"${name}" is no table of a restore drill. A drill makes, reads and removes only tables whose names begin with "${DRILL_TABLE_PREFIX}". Nothing was done.`,
  );
}

function importCommand(request: ImportRequest, kmsKey: string | undefined): ImportTableCommand {
  const { table, into, bucket, account, dataFolder, token } = request;
  const encryption = { Enabled: true, SSEType: "KMS" as const, KMSMasterKeyId: kmsKey };
  return new ImportTableCommand({
    ClientToken: token,
    S3BucketSource: { S3Bucket: bucket, S3BucketOwner: account, S3KeyPrefix: dataFolder },
    InputFormat: "DYNAMODB_JSON",
    InputCompressionType: "GZIP",
    TableCreationParameters: {
      TableName: into,
      BillingMode: "PAY_PER_REQUEST",
      ...keyAttributes(shapeOf(table)),
      ...(kmsKey === undefined ? {} : { SSESpecification: encryption }),
    },
  });
}

async function importResultOf(dynamo: DynamoDBClient, importArn: string): Promise<ImportResult> {
  try {
    const { ImportTableDescription: found } = await dynamo.send(new DescribeImportCommand({ ImportArn: importArn }));
    const { ImportStatus, FailureCode = "no code", ErrorCount = 0 } = found ?? {};
    if (ImportStatus === "IN_PROGRESS") return { status: "running" };
    if (ImportStatus === "COMPLETED") return { status: "completed", errors: ErrorCount };
    return { status: "failed", code: FailureCode };
  } catch (error) {
    if (error instanceof ImportNotFoundException) return { status: "unknown" };
    throw error;
  }
}
