/**
 * `npm run backup -- ...`: checks exports, makes and lists backups, and restores a table into a scratch table. Works on
 * AWS with the credentials of the environment, and on the endpoint that AWS_ENDPOINT_URL names.
 */

import { CodedError } from "../contract";
import "../local/sdk-warning";
import { parseArgs } from "node:util";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { checkFolder } from "../backup/check";
import { BackupError } from "../backup/errors";
import { checkReportText, exitCodeOf } from "../backup/findings";
import { type Backup, backUp, restorable } from "../backup/on-demand";
import { type RestoreSource, removeScratch, restoreTable } from "../backup/restore";
import { planRestore } from "../backup/restore-plan";
import { s3Folder } from "../backup/s3-folder";
import { tableReader } from "../backup/table-keys";
import type { ExportFolder } from "../ledger/exports/folder";
import { FolderMissingError, localFolder } from "../ledger/exports/local-folder";
import { loadConfig } from "../stacks/config/load";
import { namesOf } from "../stacks/config/names";

const USAGE = `Usage: npm run backup -- <command>
  check <folder | s3://bucket/prefix> [--table NAME] [--json]
      Check exports; with a table's deployed name, also that they miss nothing that it holds.
      Ends with 0 when they are good, 1 when not, 3 when not everything could be looked at.
  now [--table NAME]...
      Back up all tables, or those named, at once.
  list [--table NAME]...
      Show what can be restored.
  restore --table NAME --into scratch-NAME [--to-time TIME | --backup ARN | --export s3://bucket/prefix]
          [--wait-minutes N]
      Restore into a new table; without a source, as of now.
  remove-scratch scratch-NAME
      Remove what restore made.
Tables without --table are those of the environment that PAYMENT_LEDGER_ENV names (dev by default).`;

const WAIT_MINUTES_DEFAULT = 120;

/** The arguments do not fit; the usage is printed. */
class UsageError extends CodedError<"USAGE"> {
  override readonly name = "UsageError";

  constructor(message: string) {
    super("USAGE", message);
  }
}

interface Arguments {
  readonly operands: readonly string[];
  readonly options: {
    readonly table?: string[];
    readonly json?: boolean;
    readonly into?: string;
    readonly "to-time"?: string;
    readonly backup?: string;
    readonly export?: string;
    readonly "wait-minutes"?: string;
  };
}

export async function runBackupCommand(words: readonly string[], print: (text: string) => void): Promise<number> {
  const [command, ...rest] = words;
  const given = parse(rest);
  const dynamo = new DynamoDBClient({});
  switch (command) {
    case "check":
      return check(given, dynamo, print);
    case "now":
      for (const made of await backUp(dynamo, tablesOf(given), new Date())) print(backupText(made));
      return 0;
    case "list":
      for (const table of tablesOf(given)) print(await listText(dynamo, table));
      return 0;
    case "restore":
      return restore(given, dynamo, print);
    case "remove-scratch": {
      const name = onlyOperand(given);
      await removeScratch(dynamo, name);
      print(`${name} is being removed.`);
      return 0;
    }
    default:
      throw new UsageError(command === undefined ? "A command is missing." : `There is no command "${command}".`);
  }
}

function parse(words: readonly string[]): Arguments {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        table: { type: "string", multiple: true },
        json: { type: "boolean" },
        into: { type: "string" },
        "to-time": { type: "string" },
        backup: { type: "string" },
        export: { type: "string" },
        "wait-minutes": { type: "string" },
      },
    });
    return { operands: positionals, options: { ...values } };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : "The options do not fit.");
  }
}

async function check(given: Arguments, dynamo: DynamoDBClient, print: (text: string) => void): Promise<number> {
  const tables = given.options.table ?? [];
  const { folder } = folderOf(onlyOperand(given));
  const readers = new Map(tables.map((name) => [name, readerOf(dynamo, name)]));
  const report = await checkFolder(folder, { tableOf: (name) => readers.get(name) });
  for (const name of tables) {
    if (!report.exports.some(({ table }) => table === name))
      throw new UsageError(`There is no export of ${name} in ${folder.name}.`);
  }
  print(given.options.json === true ? JSON.stringify(report, undefined, 2) : checkReportText(report));
  return exitCodeOf(report);
}

function readerOf(dynamo: DynamoDBClient, name: string) {
  const reader = tableReader(dynamo, name);
  if (reader === undefined) throw new UsageError(`${name} is no table of this ledger.`);
  return reader;
}

async function restore(given: Arguments, dynamo: DynamoDBClient, print: (text: string) => void): Promise<number> {
  const { into = "", table: [table = "", ...others] = [] } = given.options;
  if (table === "" || into === "" || others.length > 0) throw new UsageError("restore takes one --table and --into.");
  const minutes = Number(given.options["wait-minutes"] ?? WAIT_MINUTES_DEFAULT);
  if (!(minutes > 0)) throw new UsageError("--wait-minutes is a number above 0.");
  const count = await restoreTable({
    dynamo,
    table,
    into,
    source: await sourceOf(given, table),
    waitMs: minutes * 60_000,
    progress: print,
  });
  print(`${into} holds ${count} items. It is billed until it is removed: npm run backup -- remove-scratch ${into}`);
  return 0;
}

async function sourceOf({ options }: Arguments, table: string): Promise<RestoreSource> {
  const { "to-time": time, backup, export: exported } = options;
  if ([time, backup, exported].filter((source) => source !== undefined).length > 1) {
    throw new UsageError("restore takes one of --to-time, --backup and --export.");
  }
  if (backup !== undefined) return { from: "backup", arn: backup };
  if (exported !== undefined) {
    const { folder, bucket } = folderOf(exported);
    if (bucket === undefined)
      throw new UsageError("--export names s3://bucket/prefix: DynamoDB imports from a bucket.");
    return { from: "export", plan: await planRestore(table, folder), folder, bucket };
  }
  if (time === undefined) return { from: "time" };
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) throw new UsageError(`"${time}" is no time. Write it as 2026-11-21T10:00:00Z.`);
  return { from: "time", at };
}

function folderOf(place: string): { folder: ExportFolder; bucket?: string } {
  const found = /^s3:\/\/([^/]+)\/?(.*)$/.exec(place);
  if (found === null) return { folder: localFolder(place) };
  const [, bucket = "", prefix = ""] = found;
  // Paths instead of host names for buckets, because an endpoint on this machine has no such names.
  const s3 = new S3Client({ forcePathStyle: true });
  return { folder: s3Folder(s3, bucket, [prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`]), bucket };
}

function tablesOf({ operands, options }: Arguments): readonly string[] {
  if (operands.length > 0) throw new UsageError("Name tables with --table.");
  return options.table ?? Object.values(namesOf(loadConfig()).tables);
}

function onlyOperand({ operands }: Arguments): string {
  const [only, ...others] = operands;
  if (only === undefined || others.length > 0) throw new UsageError("The command takes exactly one name.");
  return only;
}

async function listText(dynamo: DynamoDBClient, name: string): Promise<string> {
  const { between, backups } = await restorable(dynamo, name);
  const reach =
    between === undefined
      ? "point-in-time recovery is OFF"
      : `any moment from ${between.earliest} to ${between.latest}`;
  return [`${name}: ${reach}; ${backups.length} backups`, ...backups.map((backup) => `  ${backupText(backup)}`)].join(
    "\n",
  );
}

function backupText({ createdAt, name, status, arn }: Backup): string {
  return `${createdAt} ${name} ${status} ${arn}`;
}

if (require.main === module) {
  runBackupCommand(process.argv.slice(2), (text) => console.log(text)).then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      const isOurs = error instanceof BackupError || error instanceof FolderMissingError || error instanceof UsageError;
      console.error(isOurs ? error.message : error);
      if (error instanceof UsageError) console.error(`\n${USAGE}`);
      process.exitCode = 2;
    },
  );
}
