/**
 * `payledger backup ...`: checks exports, makes and lists backups, and restores a table into a scratch table. Works on
 * AWS with the credentials of the environment, and on the endpoint that AWS_ENDPOINT_URL names.
 */

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { checkFolder } from "../backup/check";
import { checkReportText, exitCodeOf } from "../backup/findings";
import { type Backup, backUp, type RestorePoints, restorable } from "../backup/on-demand";
import { type RestoreSource, removeScratch, restoreTable } from "../backup/restore";
import { planRestore } from "../backup/restore-plan";
import { s3Folder } from "../backup/s3-folder";
import { tableReader } from "../backup/table-keys";
import type { CommandArguments, CommandBody, Option, Terminal } from "../evidence/commands/command";
import { UsageError } from "../evidence/commands/errors";
import type { ExportFolder } from "../ledger/exports/folder";
import { localFolder } from "../ledger/exports/local-folder";
import { loadConfig } from "../stacks/config/load";
import { namesOf } from "../stacks/config/names";
import { onAws } from "./aws";

const WAIT_MINUTES_DEFAULT = 120;

const TABLES_OPTION: Option = {
  kind: "many",
  value: "NAME",
  about: "Deployed name of a table. Default: all tables of the environment.",
};

export const backupNow: CommandBody = onAws({
  options: { table: TABLES_OPTION },
  run: async (args, { answer }) => {
    const made = await backUp(new DynamoDBClient({}), tablesOf(args), new Date());
    answer(made, made.map(backupText).join("\n"));
    return 0;
  },
});

export const backupList: CommandBody = onAws({
  options: { table: TABLES_OPTION },
  run: async (args, { answer }) => {
    const dynamo = new DynamoDBClient({});
    const tables = await Promise.all(tablesOf(args).map((table) => restorable(dynamo, table)));
    answer(tables, tables.map(listText).join("\n"));
    return 0;
  },
});

export const backupCheck: CommandBody = onAws({
  operands: "PLACE",
  details:
    "With a table's deployed name, also that they miss nothing that it holds. Ends with 0 when they are good, 1 when not, 3 when not everything could be looked at.",
  options: { table: { kind: "many", value: "NAME", about: "Deployed name of a table to compare with." } },
  run: (args, terminal) => check(args, new DynamoDBClient({}), terminal),
});

export const restore: CommandBody = onAws({
  details: "Without a source, the table as it is now. A restore overwrites nothing.",
  options: {
    table: { kind: "many", value: "NAME", required: true, about: "Deployed name of the table." },
    into: { kind: "one", value: "scratch-NAME", required: true, about: "Name of the new table." },
    "to-time": { kind: "one", value: "TIME", about: "Moment to restore, as 2026-11-21T10:00:00Z." },
    backup: { kind: "one", value: "ARN", about: "Backup to restore; backup list shows them." },
    export: { kind: "one", value: "s3://BUCKET/PREFIX", about: "Exports to restore from." },
    "wait-minutes": { kind: "one", value: "N", about: `How long to wait. Default: ${WAIT_MINUTES_DEFAULT}.` },
  },
  examples: ["backup restore --table PaymentLedger-dev --into scratch-ledger"],
  run: (args, terminal) => restoreInto(args, new DynamoDBClient({}), terminal),
});

export const removeScratchTable: CommandBody = onAws({
  operands: "scratch-NAME",
  options: {},
  run: async (args, { answer }) => {
    const name = onlyOperand(args);
    await removeScratch(new DynamoDBClient({}), name);
    answer({ removed: name }, `${name} is being removed.`);
    return 0;
  },
});

async function check(args: CommandArguments, dynamo: DynamoDBClient, { answer }: Terminal): Promise<number> {
  const tables = args.many("table");
  const { folder } = folderOf(onlyOperand(args));
  const readers = new Map(tables.map((name) => [name, readerOf(dynamo, name)]));
  const report = await checkFolder(folder, { tableOf: (name) => readers.get(name) });
  for (const name of tables) {
    if (!report.exports.some(({ table }) => table === name))
      throw new UsageError(`There is no export of ${name} in ${folder.name}.`);
  }
  answer(report, checkReportText(report));
  return exitCodeOf(report);
}

function readerOf(dynamo: DynamoDBClient, name: string) {
  const reader = tableReader(dynamo, name);
  if (reader === undefined) throw new UsageError(`${name} is no table of this ledger.`);
  return reader;
}

async function restoreInto(
  args: CommandArguments,
  dynamo: DynamoDBClient,
  { answer, tell, print }: Terminal,
): Promise<number> {
  const into = args.one("into") ?? "";
  const [table = "", ...others] = args.many("table");
  if (table === "" || into === "" || others.length > 0) throw new UsageError("restore takes one --table and --into.");
  const minutes = Number(args.one("wait-minutes") ?? WAIT_MINUTES_DEFAULT);
  if (!(minutes > 0)) throw new UsageError("--wait-minutes is a number above 0.");
  const count = await restoreTable({
    dynamo,
    table,
    into,
    source: await sourceOf(args, table),
    waitMs: minutes * 60_000,
    progress: args.flag("json") ? tell : print,
  });
  answer(
    { table: into, items: count },
    `${into} holds ${count} items. It is billed until it is removed: npx payledger backup remove-scratch ${into}`,
  );
  return 0;
}

async function sourceOf(args: CommandArguments, table: string): Promise<RestoreSource> {
  const [time, backup, exported] = [args.one("to-time"), args.one("backup"), args.one("export")];
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

function tablesOf(args: CommandArguments): readonly string[] {
  if (args.operands.length > 0) throw new UsageError("Name tables with --table.");
  const chosen = args.many("table");
  return chosen.length > 0 ? chosen : Object.values(namesOf(loadConfig()).tables);
}

function onlyOperand({ operands }: CommandArguments): string {
  const [only, ...others] = operands;
  if (only === undefined || others.length > 0) throw new UsageError("The command takes exactly one name.");
  return only;
}

function listText({ table, between, backups }: RestorePoints): string {
  const reach =
    between === undefined
      ? "point-in-time recovery is OFF"
      : `any moment from ${between.earliest} to ${between.latest}`;
  return [`${table}: ${reach}; ${backups.length} backups`, ...backups.map((backup) => `  ${backupText(backup)}`)].join(
    "\n",
  );
}

function backupText({ createdAt, name, status, arn }: Backup): string {
  return `${createdAt} ${name} ${status} ${arn}`;
}
