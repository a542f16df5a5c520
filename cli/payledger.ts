/** The program `payledger`: every command that a person types, by name. A command's code is loaded when it is called. */

import { EXIT_CODE_LINES, OFFLINE } from "../evidence/commands/cli";
import type { CommandBody, CommandNode, Commands } from "../evidence/commands/command";
import { main, type Program } from "../evidence/commands/program";
import { explainError } from "./explain-error";

function lazy(summary: string, load: () => CommandBody): CommandNode {
  return { summary, load };
}

function section(title: string, commands: Commands): Commands {
  return Object.fromEntries(Object.entries(commands).map(([name, node]) => [name, { ...node, section: title }]));
}

const LOCAL: Commands = {
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
  down: lazy(
    "Stop the embedded AWS; everything in it is gone",
    () => (require("./embedded") as typeof import("./embedded")).downCommand,
  ),
};

const EVIDENCE: Commands = {
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
    "Restore the newest full exports into scratch tables, and hold these against the log",
    () => (require("./drill") as typeof import("./drill")).drill,
  ),
};

const OPERATION: Commands = {
  redrive: lazy(
    "Send what waits in a dead-letter or failure queue again",
    () => (require("./redrive") as typeof import("./redrive")).redriveCommand,
  ),
};

export const PAYLEDGER: Program = {
  name: "npx payledger",
  about: "A payment ledger with its audit trail and its proofs, on AWS or on the embedded AWS of this machine.",
  commands: {
    ...section("Try it on this machine", LOCAL),
    ...section("Proofs", EVIDENCE),
    ...section("Backups", BACKUPS),
    ...section("Operation", OPERATION),
  },
  footer: EXIT_CODE_LINES,
  explain: explainError,
};

// The launcher loads this file; a test imports it.
if (require.main?.filename.endsWith("launch.cjs")) void main(PAYLEDGER);
