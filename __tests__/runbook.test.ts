/** Compares `docs/runbook.md` with the alarms of the stacks, and its commands with what they call. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CHECK_CODES } from "../backup/findings";
import { DRILL_CODES } from "../evidence/checks/drill-steps";
import { VERDICTS } from "../evidence/verifier/report";
import { alarmDescriptions } from "../stacks/config/alarm-table";
import {
  commandExists,
  namesAreDeployed,
  payloadIsTaken,
  runBlocks,
  shellBlocksOf,
  worldOf,
} from "./support/document-commands";
import { tableUnder } from "./support/documents";
import { PROJECT } from "./support/project-files";
import { configOf, type Synthesized, synthesize } from "./support/synth";

const TEXT = readFileSync(join(PROJECT, "docs/runbook.md"), "utf8");
const prod = configOf("prod");
const SYNTHESIZED = synthesize(prod);

// ------------------------------------------------------------------------------------------------------------- alarms

interface Alarm {
  readonly name: string;
  readonly section: string | undefined;
}

/** The alarms under the names that AWS will show, with the section that their description names. */
function alarmsOf({ stacks }: Synthesized): Alarm[] {
  const { functions, data } = stacks;
  return Object.values(functions.resource["aws_cloudwatch_metric_alarm"] ?? {}).map((alarm) => ({
    name: String(alarm["alarm_name"])
      .replace(/\$\{aws_lambda_function\.([\w-]+)\.function_name\}/, (_, id: string) =>
        String(functions.resource["aws_lambda_function"]?.[id]?.["function_name"]),
      )
      .replace(/\$\{[^}]*cross-stack-output-aws_sqs_queue([\w-]+?)name\}/, (_, id: string) =>
        String(data.resource["aws_sqs_queue"]?.[id]?.["name"]),
      ),
    section: /docs\/runbook\.md#([a-z-]+)$/.exec(String(alarm["alarm_description"]))?.[1],
  }));
}

interface Entry {
  readonly section: string;
  readonly alarms: readonly string[];
  readonly text: string;
}

function entriesOf(text: string): Entry[] {
  return text
    .split(/^## /m)
    .slice(1)
    .map((part) => {
      const listed = /^Alarms: ([\s\S]*?)\n\n/m.exec(part)?.[1] ?? "";
      const alarms = [...listed.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
      return { section: part.split("\n")[0] ?? "", alarms, text: part };
    });
}

/** Alarms without an entry, entries without an alarm, and entries that lack a part. */
function gaps(alarms: readonly Alarm[], entries: readonly Entry[]): string[] {
  const listed = entries.flatMap((entry) => entry.alarms.map((name) => ({ name, section: entry.section })));
  const key = ({ name, section }: Alarm) => `${section}: ${name}`;
  const [real, written] = [alarms.map(key), listed.map(key)];
  const parts = ["**Means.**", "**Look.**", "**Do.**", "**Over.**"];
  return [
    ...real.filter((one) => !written.includes(one)).map((one) => `no entry for ${one}`),
    ...written.filter((one) => !real.includes(one)).map((one) => `no alarm for ${one}`),
    ...written.filter((one, i) => written.indexOf(one) !== i).map((one) => `twice: ${one}`),
    ...entries.flatMap(({ section, text }) =>
      parts.filter((part) => !text.includes(part)).map((part) => `${section} has no ${part}`),
    ),
  ];
}

const ALARMS = alarmsOf(SYNTHESIZED);
const ENTRIES = entriesOf(TEXT);

test("every alarm has its entry, and every entry its alarms", () => {
  expect(ALARMS.length).toBeGreaterThan(30);
  expect(ALARMS.filter(({ name }) => name.includes("$") || name.includes("undefined"))).toEqual([]);
  expect(gaps(ALARMS, ENTRIES)).toEqual([]);
});

test.each([
  ["an alarm more", [...ALARMS, { name: "payment-gold", section: "integrity" }], ENTRIES],
  ["an alarm less", ALARMS.slice(1), ENTRIES],
  ["an alarm that names another section", ALARMS.map((one) => ({ ...one, section: "none" })), ENTRIES],
  ["an entry less", ALARMS, ENTRIES.slice(1)],
  ["an entry without a part", ALARMS, entriesOf(TEXT.replace("**Over.**", ""))],
])("%s is noticed", (_, alarms, entries) => {
  expect(gaps(alarms, entries)).not.toEqual([]);
});

test("the index has each section that an alarm leads to, in their order, with the text of the alarm", () => {
  const texts = alarmDescriptions();
  const sections = ENTRIES.map(({ section }) => section).filter((section) => section in texts);
  expect(tableUnder("docs/runbook.md", "Runbook")).toEqual(
    sections.map((section) => [`[${section}](#${section})`, texts[section]]),
  );
});

test("the check's findings are all explained", () => {
  const told = ENTRIES.find(({ section }) => section === "backup-check-failed")?.text ?? "";
  expect(CHECK_CODES.filter((code) => !told.includes(`\`${code}\``))).toEqual([]);
});

test("the sweep's verdicts and the drill's codes are all explained", () => {
  const told = (...sections: string[]) =>
    ENTRIES.filter(({ section }) => sections.includes(section))
      .map(({ text }) => text)
      .join();
  // A sweep remembers the checkpoint before, so it misses nothing but that: once, at its first run.
  const faults = VERDICTS.filter((verdict) => verdict !== "ok" && verdict !== "tail-not-pinned");
  expect(faults.filter((verdict) => !told("log-check-failed").includes(`\`${verdict}\``))).toEqual([]);
  const drills = told("restore-drill-failed", "restore-drill-missing");
  expect(DRILL_CODES.filter((code) => !drills.includes(`\`${code}\``))).toEqual([]);
});

// ----------------------------------------------------------------------------------------------------------- commands

const WORLD = worldOf(prod, SYNTHESIZED);
const CALLS = runBlocks(shellBlocksOf(TEXT), WORLD);

test.each([
  ["commands and their options exist", commandExists],
  ["names are the deployment's", namesAreDeployed],
  ["what is sent is taken", payloadIsTaken],
])("%s in every command", (_, rule) => {
  expect(CALLS.flatMap((call) => rule(call, WORLD))).toEqual([]);
});

test("the project's own commands are used: redrive, and each of backup's", () => {
  const lines = CALLS.filter(({ tool }) => tool === "npx").map(({ args }) => args.slice(0, 3).join(" "));
  expect(lines).toEqual(
    expect.arrayContaining([
      "payledger redrive payment-ledger-failures",
      "payledger backup check",
      "payledger backup now",
      "payledger backup list",
      "payledger backup restore",
      "payledger backup remove-scratch",
    ]),
  );
});
