/** The program `payledger`: every command that a person types, by name. A command's code is loaded when it is called. */

import { EXIT_CODE_LINES, OFFLINE } from "../evidence/commands/cli";
import type { CommandBody, CommandNode, Commands } from "../evidence/commands/command";
import { main, type Program } from "../evidence/commands/program";
import { completion } from "./completion";
import { COST_OPTIONS } from "./cost";
import { explainError } from "./explain-error";
import { tool } from "./tools";

function lazy(summary: string, load: () => CommandBody): CommandNode {
  return { summary, load };
}

function section(title: string, commands: Commands): Commands {
  return Object.fromEntries(Object.entries(commands).map(([name, node]) => [name, { ...node, section: title }]));
}

const LOCAL: Commands = {
  demo: lazy(
    "See the whole system at work, attacked and audited; npm start runs it",
    () => (require("./demo") as typeof import("./demo")).demo,
  ),
  up: lazy(
    "Bring the embedded AWS up in the background, with the four stacks in it",
    () => (require("./embedded") as typeof import("./embedded")).upCommand,
  ),
  status: lazy(
    "Show whether the embedded AWS is up; ends with 1 when it is not",
    () => (require("./embedded") as typeof import("./embedded")).statusCommand,
  ),
  env: lazy(
    "Print variables with which any AWS tool talks to the embedded AWS",
    () => (require("./embedded") as typeof import("./embedded")).envCommand,
  ),
  tamper: lazy(
    "On the embedded AWS: change an amount past the ledger, for the audit to find",
    () => (require("./tamper") as typeof import("./tamper")).tamperCommand,
  ),
  down: lazy(
    "Stop the embedded AWS; everything in it is gone",
    () => (require("./embedded") as typeof import("./embedded")).downCommand,
  ),
  doctor: lazy(
    "Check Node.js, Python, Terraform, credentials, region and clock",
    () => (require("./doctor") as typeof import("./doctor")).doctor,
  ),
};

const PAYMENTS: Commands = {
  pay: lazy("Record one payment", () => (require("./payments") as typeof import("./payments")).pay),
  read: lazy("Read payments; tokens stay masked", () => (require("./payments") as typeof import("./payments")).read),
  reveal: lazy(
    "Show the clear token of one payment, for a reason",
    () => (require("./payments") as typeof import("./payments")).reveal,
  ),
  "status-change": lazy(
    "Change the status of one payment",
    () => (require("./payments") as typeof import("./payments")).statusChange,
  ),
  trail: lazy(
    "Read the audit trail: who did what with which payment, and when",
    () => (require("./trail") as typeof import("./trail")).trail,
  ),
  show: lazy(
    "Show all about one payment: its row, its trail, its log entries",
    () => (require("./show") as typeof import("./show")).show,
  ),
  import: lazy(
    "Import what an older system recorded: a file, a DynamoDB export, a live table",
    () => (require("./import/import") as typeof import("./import/import")).importCommand,
  ),
  send: {
    summary: "Send a payment or an event by the ways that take no call: queue, fifo, file",
    commands: {
      queue: lazy(
        "A payment as a message on audit-trail-queue",
        () => (require("./send") as typeof import("./send")).sendQueue,
      ),
      fifo: lazy(
        "An audit event of another service on payment-audit-trail.fifo",
        () => (require("./send") as typeof import("./send")).sendEvent,
      ),
      file: lazy(
        "A payment file to the bucket, and its report",
        () => (require("./send") as typeof import("./send")).sendFile,
      ),
    },
  },
};

const EVIDENCE: Commands = {
  kit: lazy(
    "Make the folder that an auditor gets: verifier, key, policy, example",
    () => (require("./kit") as typeof import("./kit")).kit,
  ),
  audit: lazy(
    "One visit of an auditor: copy, wait until all is sealed, verify, keep the pin",
    () => (require("./audit") as typeof import("./audit")).auditCommand,
  ),
  key: lazy(
    "Write the log's public key, from KMS, and show its fingerprint",
    () => (require("./key") as typeof import("./key")).key,
  ),
  scan: lazy(
    "Write the tables as they are now to a folder, as an export is laid out",
    () => (require("./evidence-aws") as typeof import("./evidence-aws")).scan,
  ),
  fetch: lazy(
    "Copy the log's evidence from its bucket, or what is new of it, and check the copy",
    () => (require("./evidence-aws") as typeof import("./evidence-aws")).fetch,
  ),
  ...OFFLINE,
};

const restoreEntry = lazy(
  "Restore a table into a new scratch table",
  () => (require("./backup") as typeof import("./backup")).restore,
);
const BACKUPS: Commands = {
  export: lazy(
    "Export the tables to the export bucket",
    () => (require("./export") as typeof import("./export")).exportCommand,
  ),
  backup: {
    summary: "Back up, list, check and restore the tables",
    commands: {
      now: lazy(
        "Back up all tables, or those named, at once",
        () => (require("./backup") as typeof import("./backup")).backupNow,
      ),
      list: lazy("Show what can be restored", () => (require("./backup") as typeof import("./backup")).backupList),
      check: lazy(
        "Check the exports in a folder or under s3://bucket/prefix",
        () => (require("./backup") as typeof import("./backup")).backupCheck,
      ),
      restore: restoreEntry,
      "remove-scratch": lazy(
        "Remove a table that restore made",
        () => (require("./backup") as typeof import("./backup")).removeScratchTable,
      ),
    },
  },
  restore: restoreEntry,
  drill: lazy(
    "Restore the newest full exports into scratch tables, and compare these with the log",
    () => (require("./drill") as typeof import("./drill")).drill,
  ),
};

const OPERATION: Commands = {
  outputs: lazy(
    "Show what the stacks give out: names, ARNs, the log's origin",
    () => (require("./outputs") as typeof import("./outputs")).outputs,
  ),
  logs: lazy("Show the log lines of a function", () => (require("./logs") as typeof import("./logs")).logs),
  redrive: lazy(
    "Send what waits in a dead-letter or failure queue again",
    () => (require("./redrive") as typeof import("./redrive")).redriveCommand,
  ),
  cases: lazy(
    "See what becomes of each payment file of a folder, on a separate embedded AWS",
    () => (require("./cases") as typeof import("./cases")).cases,
  ),
  permissions: lazy("Prove that AWS would allow what is done, and that nothing more is granted", () =>
    tool(
      "tools/permissions.ts",
      "Deploys to a separate embedded AWS, uses all of it, and evaluates every call; takes minutes. Needs Python.",
    ),
  ),
  cost: lazy("What a month costs, line by line, for your volumes", () =>
    tool(
      "tools/cost/cost.ts",
      "From the synthesized stacks, what each way in was counted to ask, and the list prices of us-east-1. Without a volume: a million payments that are sent alone.",
      COST_OPTIONS,
    ),
  ),
  completion: lazy("Print what bash or zsh evaluates to complete these commands", () =>
    completion(() => PAYLEDGER.commands),
  ),
};

export const PAYLEDGER: Program = {
  name: "npx payledger",
  about: "A payment ledger with its audit trail and its proofs, on AWS or on the embedded AWS of this machine.",
  commands: {
    ...section("Try it on this machine", LOCAL),
    ...section("Payments", PAYMENTS),
    ...section("Proofs", EVIDENCE),
    ...section("Backups", BACKUPS),
    ...section("Operation", OPERATION),
  },
  footer: EXIT_CODE_LINES,
  explain: explainError,
};

// The launcher loads this file; a test imports it.
if (require.main?.filename.endsWith("launch.cjs")) void main(PAYLEDGER);
