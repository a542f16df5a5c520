/** On-demand backups of all tables, and what can be restored of each. */

import {
  type BackupSummary,
  CreateBackupCommand,
  DescribeContinuousBackupsCommand,
  type DynamoDBClient,
  ListBackupsCommand,
} from "@aws-sdk/client-dynamodb";

export interface Backup {
  readonly table: string;
  readonly arn: string;
  readonly name: string;
  readonly createdAt: string;
  readonly status: string;
}

export interface RestorePoints {
  readonly table: string;
  /** What point-in-time recovery reaches; absent while it is off. */
  readonly between?: { readonly earliest: string; readonly latest: string };
  readonly backups: readonly Backup[];
}

/** DynamoDB's own backups: made at once, kept until somebody deletes them, in the table's account and region. */
export async function backUp(dynamo: DynamoDBClient, tables: readonly string[], now: Date): Promise<Backup[]> {
  const made: Backup[] = [];
  for (const table of tables) {
    const name = `${table}-${now.toISOString().replaceAll(/[-:.]/g, "")}`;
    const answer = await dynamo.send(new CreateBackupCommand({ TableName: table, BackupName: name }));
    const { BackupArn = "", BackupStatus = "" } = answer.BackupDetails ?? {};
    made.push({ table, arn: BackupArn, name, createdAt: now.toISOString(), status: BackupStatus });
  }
  return made;
}

export async function restorable(dynamo: DynamoDBClient, table: string): Promise<RestorePoints> {
  const answer = await dynamo.send(new DescribeContinuousBackupsCommand({ TableName: table }));
  const recovery = answer.ContinuousBackupsDescription?.PointInTimeRecoveryDescription;
  const { EarliestRestorableDateTime: earliest, LatestRestorableDateTime: latest } = recovery ?? {};
  return {
    table,
    ...(earliest !== undefined &&
      latest !== undefined && { between: { earliest: earliest.toISOString(), latest: latest.toISOString() } }),
    backups: await backupsOf(dynamo, table),
  };
}

async function backupsOf(dynamo: DynamoDBClient, table: string): Promise<Backup[]> {
  const found: Backup[] = [];
  let start: string | undefined;
  do {
    const page = await dynamo.send(
      // With those that AWS Backup made of the table.
      new ListBackupsCommand({ TableName: table, BackupType: "ALL", ExclusiveStartBackupArn: start }),
    );
    found.push(...(page.BackupSummaries ?? []).map((summary) => backupOf(table, summary)));
    start = page.LastEvaluatedBackupArn;
  } while (start !== undefined);
  return found.sort((a, b) => b.createdAt.localeCompare(a.createdAt));
}

function backupOf(table: string, summary: BackupSummary): Backup {
  const { BackupArn = "", BackupName = "", BackupStatus = "", BackupCreationDateTime } = summary;
  return {
    table,
    arn: BackupArn,
    name: BackupName,
    createdAt: BackupCreationDateTime?.toISOString() ?? "",
    status: BackupStatus,
  };
}
