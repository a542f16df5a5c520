/** The names inside an export, as AWS documents them. */

import { type LogicalTableName, TABLES } from "../../contract";

/** The folder that DynamoDB makes under every export prefix. */
export const AWS_FOLDER = "AWSDynamoDB";
export const SUMMARY_FILE = "manifest-summary.json";
export const FILES_FILE = "manifest-files.json";
/** The documentation says `.checksum`, the service writes `.md5`; both hold the base64 MD5 of the manifest beside it. */
export const CHECKSUM_ENDINGS = [".md5", ".checksum"] as const;

/** The logical name of a deployed table: itself, or with the environment's suffix. */
export function logicalNameOf(deployedName: string): LogicalTableName | undefined {
  return Object.values(TABLES)
    .map(({ logicalName }) => logicalName)
    .find((name) => deployedName === name || deployedName.startsWith(`${name}-`));
}

export function tableNameOfArn(arn: string): string {
  return /:table\/([^/]+)/.exec(arn)?.[1] ?? "";
}
