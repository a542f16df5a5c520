/** Every command of the program: its help, its JSON, its exit code, and no stack trace. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { explainError } from "../../cli/explain-error";
import { PAYLEDGER } from "../../cli/payledger";
import { resultText } from "../../cli/payments";
import { OFFLINE } from "../../evidence/commands/cli";
import { type Command, type CommandNode, type Commands, isGroup, loaded } from "../../evidence/commands/command";
import { usageLine } from "../../evidence/commands/help";
import { nearest } from "../../evidence/commands/nearest";
import { helpFor } from "../../evidence/commands/program";
import { painter, progressLines } from "../../evidence/commands/screen";
import { VERSION } from "../../evidence/commands/version";
import { refusal } from "../../ledger/rules/refusals";
import { textOf } from "../support/documents";
import { commandsPage, documentLines, leavesOf, whereRun } from "../support/program-page";
import { RUN_ELSEWHERE, RUNS } from "../support/program-runs";
import { PROJECT } from "../support/project-files";
import { payledger, runInProcess } from "../support/run-in-process";

interface Named {
  readonly path: readonly string[];
  readonly command: Command;
}

function leaves(commands: Commands, path: readonly string[] = []): Named[] {
  return Object.entries(commands).flatMap(([name, node]: [string, CommandNode]) =>
    isGroup(node) ? leaves(node.commands, [...path, name]) : [{ path: [...path, name], command: loaded(node) }],
  );
}

const ALL = leaves(PAYLEDGER.commands);
const named = ALL.map(({ path, command }): [string, Named] => [path.join(" "), { path, command }]);

/** Nothing that it is given here gets as far as a call of AWS. */
const run = (...words: string[]) => runInProcess(PAYLEDGER, words);

test("the commands that users need are there", () => {
  expect(named.map(([name]) => name)).toEqual(
    expect.arrayContaining([
      ...["up", "down", "status", "env", "pay", "read", "reveal", "status-change", "trail", "show", "tamper"],
      ...["import", "send queue", "send fifo", "send file", "export", "backup now", "backup check", "restore", "drill"],
      ...["scan", "fetch", "verify", "prove", "verify-proof", "consistency", "history", "keys", "key", "audit"],
      ...["witness new-key", "witness cosign", "witness serve", "redrive", "outputs", "logs", "doctor"],
      ...["permissions", "cost", "completion", "report"],
    ]),
  );
});

describe.each(named)("payledger %s", (name, { path, command }) => {
  test("explains itself, with exit code 0, and names every option", async () => {
    for (const words of [
      [...path, "--help"],
      [...path, "-h"],
      ["help", ...path],
    ]) {
      const { code, out, err } = await run(...words);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).toContain(`Usage: npx payledger ${name}`);
      for (const option of [...Object.keys(command.options), "json", "debug", "help"]) {
        expect(out).toMatch(new RegExp(`--${option}\\b`));
      }
      expect(out.split("\n").every((line) => line.length <= 140)).toBe(true);
    }
  });

  test("says how it is used, and only that, when it is used wrongly", async () => {
    const { code, out, err } = await run(...path, "--no-such-option");
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("There is no option --no-such-option.");
    expect(err).toContain(usageLine(`npx payledger ${name}`, command));
    expect(err).not.toMatch(/^\s+at /m);
    expect(err.split("\n").length).toBeLessThan(9);
  });

  test("tells an error as JSON when its answer would be JSON", async () => {
    const { code, err } = await run(...path, "--no-such-option", "--json");
    expect(code).toBe(2);
    expect(JSON.parse(err)).toEqual({
      error: { code: "USAGE", message: expect.stringContaining("There is no option --no-such-option.") },
    });
  });

  test("its examples parse", () => {
    for (const example of command.examples ?? []) {
      // What is quoted is one word.
      const words = [...example.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? "");
      expect(() => helpFor(["help", ...words.slice(0, 1)], PAYLEDGER)).not.toThrow();
    }
  });
});

test("docs/commands.md has every command, and each is run with --json or says why not (else: npm run commands-page)", () => {
  expect(textOf("docs/commands.md")).toBe(commandsPage());
  const ran = new Set(RUNS.map(({ words }) => words.split(" ").slice(0, 2).join(" ")));
  const isRun = (name: string) =>
    [...ran].some((words) => words === name || words.startsWith(`${name} `) || words === name.split(" ")[0]);
  expect(leavesOf().filter(({ name }) => !(name in RUN_ELSEWHERE) && !isRun(name))).toEqual([]);
});

test("every line of payledger in the documents is run by a test", () => {
  const lines = documentLines().filter(({ tool }) => tool === "npx payledger");
  expect(lines.length).toBeGreaterThan(50);
  expect(lines.filter((line) => whereRun(line) === "nowhere")).toEqual([]);
  expect(whereRun({ path: "docs/usage.md", line: "npx payledger drill --html x", tool: "npx payledger" })).toBe(
    "nowhere",
  );
});

test("an option has the same meaning in every command's help, and no help lists it twice", () => {
  for (const { command } of ALL) {
    for (const [name, { about, kind, value }] of Object.entries(command.options)) {
      expect({ name, about: about.endsWith("."), hasValue: value !== undefined }).toEqual({
        name,
        about: true,
        hasValue: kind !== "flag",
      });
    }
  }
});

test("lists: the program, a group, an unknown command with a guess, a missing one", async () => {
  const all = await run("--help");
  expect(all.code).toBe(0);
  for (const [name] of named) expect(all.out).toMatch(new RegExp(`^  ${name.split(" ")[0]} `, "m"));
  expect(all.out).toContain("Exit codes: 0 done");
  expect((await run("backup", "--help")).out).toContain("remove-scratch");
  expect((await run("verfy")).err).toContain('Did you mean "verify"?');
  expect((await run("backup", "lst")).err).toContain('Did you mean "backup list"?');
  expect((await run("trail", "--actro", "x")).err).toContain("Did you mean --actor?");
  for (const words of [[], ["backup"]]) {
    expect(await run(...words)).toMatchObject({ code: 2, err: expect.stringContaining("A command is missing.") });
  }
});

test("the version is the package's", async () => {
  const { version } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8")) as { version: string };
  expect(VERSION).toBe(version);
  expect(await run("--version")).toEqual({ code: 0, out: `${VERSION}\n`, err: "" });
  expect(JSON.parse((await run("version", "--json")).out)).toEqual({ version: VERSION });
});

test("a value that is forgotten, doubled or too much is refused", async () => {
  for (const [words, message] of [
    [["audit", "--to"], "--to takes a value."],
    [["audit", "--to", "--json"], "--to takes a value."],
    [["audit", "--first-visit=yes"], "--first-visit takes no value."],
    [["audit", "more"], '"more" is too much here.'],
    [["read"], "Give an id, --processor or --failures."],
    [["read", "--processor", "x", "--last", "yesterday"], "--last is a number with m, h or d"],
    [["read", "x", "--book", "novels"], "--book is one of calls, files, messages."],
    [["pay", "x", "--amount", "1", "--currency", "EUR"], "--token is missing."],
    [["completion", "fish"], "The shell is one of bash, zsh."],
    [["pay", "x", "--as", "nobody"], "--as is one of administrator"],
  ] as const) {
    expect(await run(...words)).toMatchObject({ code: 2, err: expect.stringContaining(message) });
  }
});

describe("what goes wrong outside is one message with a remedy", () => {
  const folder = mkdtempSync(join(tmpdir(), "payledger-test-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const none = { HOME: folder, AWS_EC2_METADATA_DISABLED: "true", AWS_CONFIG_FILE: join(folder, "none") };

  test.each([
    ["no region", {}, "No AWS region is set."],
    ["no credentials", { AWS_REGION: "us-east-1" }, "No AWS credentials were found."],
    [
      "an endpoint that is gone",
      {
        AWS_REGION: "us-east-1",
        AWS_ENDPOINT_URL: "http://127.0.0.1:9",
        AWS_ACCESS_KEY_ID: "x",
        AWS_SECRET_ACCESS_KEY: "x",
      },
      "Nothing answers at http://127.0.0.1:9",
    ],
    ["an unknown environment", { AWS_REGION: "us-east-1", PAYMENT_LEDGER_ENV: "staging" }, 'no environment "staging"'],
  ])("%s", async (_, variables, message) => {
    const words = ["backup", "list", "--endpoint-url", "http://127.0.0.1:9"];
    const asked = "AWS_ENDPOINT_URL" in variables ? words.slice(0, 2) : words;
    const ended = await payledger(asked, { ...none, ...variables } as Record<string, string>);
    expect(ended).toMatchObject({ code: 2, out: "" });
    expect(ended.err).toContain(message);
    expect(ended.err).not.toMatch(/^\s+at |Usage:/m);
  });

  /** Its own environment is all that they ask for, so nothing of a configuration can be wrong. */
  const WITHOUT_CONFIGURATION = ["status", "env", "down", "doctor", "cases", "completion", "kit"];
  const configured = ALL.filter(
    ({ path: [name = ""] }) => !(name in OFFLINE) && !WITHOUT_CONFIGURATION.includes(name),
  ).map(({ path }): [string, readonly string[]] => [path.join(" "), path]);

  test.each(configured)("a wrong configuration is refused by %s in the same words", async (_name, path) => {
    const before = { ...process.env };
    try {
      for (const [name, value, message] of [
        ["PAYMENT_LEDGER_ENV", "staging", 'there is no environment "staging"'],
        ["PAYMENT_LEDGER_SUFIX", "alice", "did you mean PAYMENT_LEDGER_SUFFIX?"],
      ] as const) {
        process.env = { ...before, AWS_ENDPOINT_URL: "http://127.0.0.1:9", [name]: value };
        const ended = await run(...path);
        expect(ended).toMatchObject({ code: 2, out: "", err: expect.stringContaining(message) });
        expect(ended.err).toContain("Remedy:");
      }
    } finally {
      process.env = before;
    }
  });

  test("what is no error of ours, AWS or the network is left as a defect", () => {
    expect(explainError(new TypeError("x is not a function"))).toBeUndefined();
    const denied = Object.assign(new Error("not authorized to perform: x"), { name: "AccessDeniedException" });
    expect(explainError(denied)?.message).toContain("do not allow this");
    const gone = Object.assign(new Error("Requested resource not found"), { name: "ResourceNotFoundException" });
    expect(explainError(gone)?.message).toContain("Looked for the environment dev");
  });
});

test("a conflict is shown with its code and the fields that differ", () => {
  const conflict = { position: 0, outcome: "conflict", ...refusal("CONFLICT", "Amount, Currency") } as const;
  expect(resultText(conflict)).toBe(`conflict: CONFLICT (Amount, Currency): ${refusal("CONFLICT").message}`);
  expect(resultText({ position: 0, outcome: "stored" })).toBe("stored");
});

test("colour is for terminals that have it, and never with NO_COLOR", () => {
  expect(painter({ isTTY: true }, {})("red", "x")).toBe("\u001b[31mx\u001b[39m");
  for (const [stream, variables] of [
    [{ isTTY: false }, {}],
    [{ isTTY: true }, { NO_COLOR: "1" }],
    [{ isTTY: true }, { TERM: "dumb" }],
  ] as const) {
    expect(painter(stream, variables)("red", "x")).toBe("x");
  }
});

test("without a terminal, progress is a line now and then", () => {
  const told: string[] = [];
  let now = 0;
  const show = progressLines(
    (text) => told.push(text),
    () => now,
  );
  for (let done = 1; done <= 30; done += 1) {
    now += 1_000;
    show(done, 30, "entries");
  }
  expect(told).toEqual(["10 of 30 entries", "20 of 30 entries", "30 of 30 entries"]);
});

test("a suggestion is close to what was typed, or there is no suggestion", () => {
  expect(nearest("verfiy", ["verify", "prove"])).toBe("verify");
  expect(nearest("zzz", ["verify", "prove"])).toBeUndefined();
  expect(nearest("", ["verify"])).toBeUndefined();
});

test("the completion of bash knows commands, groups and options", async () => {
  const { out } = await run("completion", "bash");
  const complete = (...words: string[]) =>
    execFileSync("bash", ["--norc"], {
      input: `${out}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _payledger; echo "\${COMPREPLY[*]}"`,
      encoding: "utf8",
    })
      .trim()
      .split(" ");
  expect(complete("payledger", "verify-")).toEqual(["verify-piece", "verify-proof"]);
  expect(complete("npx", "payledger", "backup", "re")).toEqual(["restore", "remove-scratch"]);
  expect(complete("payledger", "audit", "--first")).toEqual(["--first-visit"]);
});
