/** `payledger import`: rows that an older system recorded, into the book that they belong to. */

import { setTimeout as delay } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KMSClient } from "@aws-sdk/client-kms";
import { S3Client } from "@aws-sdk/client-s3";
import type { CommandArguments, CommandBody, Terminal } from "../../evidence/commands/command";
import { UsageError } from "../../evidence/commands/errors";
import { ANSWER_IS_NO, DONE } from "../../evidence/commands/program";
import type { PersistResponse, RefusedResponse } from "../../ledger/rules/responses";
import { loadConfig } from "../../stacks/config/load";
import { namesOf } from "../../stacks/config/names";
import { onAws } from "../aws";
import { CommandError } from "../errors";
import { callFunction } from "../functions";
import { ACTOR_OPTION, actorOf } from "../query-options";
import {
  BOOK_NAMES,
  type BookName,
  type Entry,
  expectedRefusal,
  IMPORT_BOOKS,
  type ImportBook,
  type MapSettings,
} from "./books";
import { decrypter } from "./decrypt";
import { ImportReport } from "./report";
import { type RowResult, runImport } from "./run";
import { openSource } from "./sources";

const ATTEMPTS_MAX = 4;
const BACKOFF_MS = 500;

export const importCommand: CommandBody = onAws({
  operands: "BOOK SOURCE",
  details: `BOOK is ${BOOK_NAMES.join(", ")}. SOURCE is a CSV or NDJSON file, the folder or s3://BUCKET/PREFIX of one full DynamoDB export (DYNAMODB_JSON), or table:NAME of a live table. Each row is recorded by the book's own function, with the mark --from; card data is refused, tokens are encrypted, old times are kept. Run it again: what is recorded is a duplicate, and an import that was broken off goes on where it stopped. Ends with 1 when rows were refused or are in conflict.`,
  options: {
    from: { kind: "one", value: "NAME", required: true, about: "Names the older system in each record." },
    set: { kind: "many", value: "FIELD=VALUE", about: "Value of a field that a row does not have, as Currency=EUR." },
    "leave-out": { kind: "many", value: "FIELD", about: "Column that is not imported." },
    decrypt: {
      kind: "flag",
      about: "Decrypt binary fields with kms:Decrypt, as you; they were encrypted by kms:Encrypt.",
    },
    "dry-run": { kind: "flag", about: "Send nothing: say which rows the ledger's rules would refuse." },
    report: { kind: "one", value: "DIR", about: "Folder of the report. Default: import/ and the value of --from." },
    actor: ACTOR_OPTION,
  },
  examples: [
    "import calls table:PaymentLedger-old --from PaymentLedger-old --set Currency=EUR",
    "import files s3://old-exports/AWSDynamoDB/01700000000000-a1b2c3d4/ --from payment-transactions-old",
    "import messages payments.csv --from billing-2024",
  ],
  run: async (args, terminal) => {
    const [bookName, place] = operandsOf(args);
    const book = IMPORT_BOOKS[bookName];
    const settings = settingsOf(args);
    refuseOwnTable(place);
    const source = await openSource(place, book.table, {
      dynamo: () => new DynamoDBClient({}),
      // Paths instead of host names for buckets, because an endpoint on this machine has no such names.
      s3: () => new S3Client({ forcePathStyle: true }),
    });
    const isDry = args.flag("dry-run");
    const folder = folderOf(args, settings);
    const what = { book: bookName, source: source.identity, importedFrom: settings.from };
    const report = ImportReport.open(folder, what);
    if (report.current.done.rows > 0) terminal.tell(`Goes on behind row ${report.current.done.rows}.`);
    const actor = actorOf(args);
    await runImport({
      ...{ book, source, settings, report },
      send: (entries) => (isDry ? judge(book, entries, actor) : send(book, entries, actor)),
      ...(args.flag("decrypt") ? { decrypt: decrypter(new KMSClient({})) } : {}),
      progress: (done, total) => terminal.progress?.(done, total ?? done, "rows"),
    });
    return answer(report, { folder, isDry }, terminal);
  },
});

function operandsOf({ operands }: CommandArguments): [BookName, string] {
  const [book, place, ...others] = operands;
  const known = BOOK_NAMES.find((name) => name === book);
  if (known === undefined) throw new UsageError(`The book is one of ${BOOK_NAMES.join(", ")}.`);
  if (place === undefined || others.length > 0) throw new UsageError("The command takes a book and one source.");
  return [known, place];
}

function settingsOf(args: CommandArguments): MapSettings {
  const set = args.many("set").map((text) => {
    const [, name, value] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    if (name === undefined || value === undefined) throw new UsageError("--set is FIELD=VALUE.");
    return [name, value] as const;
  });
  return { from: args.needed("from"), set: Object.fromEntries(set), leaveOut: args.many("leave-out") };
}

function folderOf(args: CommandArguments, { from }: MapSettings): string {
  const folder = args.one("report") ?? `import/${from.replaceAll(/[^A-Za-z0-9._-]/g, "-")}`;
  // An import must not go on where a dry run ended.
  return args.flag("dry-run") ? `${folder}-dry-run` : folder;
}

/** Their rows are recorded already, and carry what no request may say. */
function refuseOwnTable(place: string): void {
  const own = Object.values(namesOf(loadConfig()).tables).find((name) => place === `table:${name}`);
  if (own !== undefined) throw new UsageError(`${own} is a table of this ledger itself. Name the older one.`);
}

/** @throws CommandError FUNCTION_FAILED when the function failed again and again. */
async function send(book: ImportBook, entries: readonly Entry[], actor: string): Promise<readonly RowResult[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return resultsOf(await callFunction(book.functionId, book.requestOf(entries, actor)));
    } catch (error) {
      const mayPass = error instanceof CommandError && error.code === "FUNCTION_FAILED";
      if (!mayPass || attempt === ATTEMPTS_MAX) throw error;
      await delay(BACKOFF_MS * 2 ** attempt);
    }
  }
}

/** `stored` means that the rules accept it. */
async function judge(book: ImportBook, entries: readonly Entry[], actor: string): Promise<readonly RowResult[]> {
  const now = new Date();
  return entries.map((entry, position): RowResult => {
    const refused = expectedRefusal(book, entry, actor, now);
    return refused === undefined ? { position, outcome: "stored" } : { position, outcome: "refused", ...refused };
  });
}

/** The processor answers as an HTTP service does, the other functions with the results themselves. */
function resultsOf(answer: unknown): readonly RowResult[] {
  const given = answer as { readonly body?: string } & Partial<PersistResponse & RefusedResponse>;
  const { results, code, message } =
    given.body === undefined ? given : (JSON.parse(given.body) as Partial<PersistResponse & RefusedResponse>);
  if (results !== undefined) return results;
  throw new CommandError("NOT_IMPORTED", `The ledger refused the whole call: ${code ?? ""} ${message ?? ""}`);
}

function answer(
  report: ImportReport,
  { folder, isDry }: { readonly folder: string; readonly isDry: boolean },
  terminal: Terminal,
): number {
  const { counts, codes, book, importedFrom, done } = report.current;
  const notRecorded = counts.refused + counts.conflict;
  const lines = [
    ...(isDry ? ["Nothing was sent. What the ledger's rules accept is counted as stored."] : []),
    `${done.rows} rows of ${importedFrom} into ${IMPORT_BOOKS[book as BookName].table}: ${Object.entries(counts)
      .map(([outcome, count]) => `${outcome} ${count}`)
      .join(", ")}.`,
    ...Object.entries(codes).map(([code, count]) => `  ${code}: ${count}`),
    notRecorded === 0 ? `Report: ${folder}/report.json` : `The rows that were not recorded: ${report.notRecordedFile}`,
  ];
  terminal.answer({ folder, dryRun: isDry, ...report.current }, lines.join("\n"));
  return notRecorded === 0 ? DONE : ANSWER_IS_NO;
}
