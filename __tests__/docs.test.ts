/**
 * The documents as tests: what they name exists, their commands are real ones, their requests are valid, and what can be
 * run here is run. Each check is a pure function over a text, and is shown a text that it must object to.
 */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import Ajv2020 from "ajv/dist/2020";
import { PAYLEDGER } from "../cli/payledger";
import { FUNCTIONS, ROLES, TABLES } from "../contract";
import { commandOf } from "../evidence/commands/program";
import { LEDGER_ACTIONS } from "../ledger/rules/audit-entry";
import { type AuditIdKind, derivedAuditId } from "../ledger/rules/identifiers";
import { auditPut } from "../ledger/store/audit-record";
import { messageRecord, transactionRecord } from "../ledger/store/transaction-record";
import { ENVIRONMENTS } from "../stacks/config/environments";
import { OVERRIDES } from "../stacks/config/load";
import { bucketNamesOf, namesOf } from "../stacks/config/names";
import { stubServices } from "./ledger/rules/stub-services";
import { DOCS, FILES, marked, matches, tableUnder, textOf } from "./support/documents";
import { PROJECT, type SourceFile } from "./support/project-files";
import { conditionOf, configOf, lastParts, prodName, STACK_IDS, statement, synthesize } from "./support/synth";

const PATHS = new Set(FILES.map(({ path }) => path));

/** Everything that is not about the project but is it. */
const CODE = FILES.filter(({ path }) => !path.endsWith(".md") && path !== "__tests__/docs.test.ts")
  .map(({ text }) => text)
  .join("\n");
const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };

/** Code blocks with their continued lines joined, without the fences. */
function blocksOf(text: string): string[] {
  return matches(text, /^```(?:sh)?\n([\s\S]*?)^```$/gm).map((block) => block.replaceAll("\\\n", " "));
}

/** Words in code marks, outside of code blocks. */
function spansOf(text: string): string[] {
  return matches(text.replace(/^```[\s\S]*?^```$/gm, ""), /`([^`\n]+)`/g);
}

// ------------------------------------------------------------------------------------------------------------- checks

type Check = (doc: SourceFile) => string[];

const NPM_COMMANDS = new Set(["ci", "install", "pack", "start", "test", "run"]);

const commands: Check = ({ text }) => {
  const missing = matches(text, /\bnpm run (?:--silent )?([\w:-]+)/g).filter((script) => !(script in scripts));
  const unknown = matches(text, /`npm ([a-z-]+)|^\s*npm ([a-z-]+)/gm).filter((word) => word && !NPM_COMMANDS.has(word));
  const tools = matches(text, /\bnpx ([\w-]+)/g).filter(
    (tool) => !["cdktn", "payledger"].includes(tool) && !isInstalled(tool),
  );
  return [
    ...missing.map((script) => `npm run ${script}: package.json has no such script`),
    ...unknown.map((word) => `npm ${word} is no command that this project knows`),
    ...tools.map((tool) => `npx ${tool}: no package of this project has such a command`),
  ];
};

function isInstalled(tool: string): boolean {
  try {
    return readFileSync(join(PROJECT, "node_modules", ".bin", tool)).length > 0;
  } catch {
    return false;
  }
}

/** The program's commands with the options that they have; what they do is for their own tests. */
const payledgerWords: Check = ({ text }) =>
  matches(blocksOf(text).join("\n"), /\bnpx payledger ([^\n)|;]*)/g).flatMap((line) => {
    try {
      commandOf(wordsOf(line), PAYLEDGER.commands);
      return [];
    } catch (error) {
      return [`npx payledger ${line}: ${error instanceof Error ? error.message : "it does not parse"}`];
    }
  });

function wordsOf(line: string): string[] {
  return line
    .replace(/\s+#.*$/, "")
    .trim()
    .split(/\s+/);
}

const stackOrder: Check = ({ text }) => {
  const named = matches(text, /cdktf\.out\/stacks\/(\w+)/g).filter(
    (id) => !(STACK_IDS as readonly string[]).includes(id),
  );
  const wrong = (pattern: RegExp, order: readonly string[]) =>
    matches(text, pattern).filter((list) => list.trim().split(/\s+/).join() !== order.join());
  return [
    ...named.map((id) => `there is no stack "${id}"`),
    ...wrong(/cdktf deploy ((?:\w+ ){2,}\w+)/g, STACK_IDS).map((list) => `deploys in another order: ${list}`),
    ...wrong(/for stack in ([\w ]+);/g, STACK_IDS).map((list) => `applies in another order: ${list}`),
    ...wrong(/cdktf destroy ((?:\w+ ){2,}\w+)/g, STACK_IDS.toReversed()).map(
      (list) => `destroys in another order: ${list}`,
    ),
  ];
};

/** Files that a reader makes, or the processor, by following the document. */
const MADE_BY_READER = new Set(["answer.json", "request.json", "summary.json"]);

const files: Check = ({ text }) => {
  const folders = new Set([...PATHS].filter((path) => path.includes("/")).map((path) => path.split("/")[0] ?? ""));
  const named = spansOf(text).filter((span) => {
    if (!/^[\w@.-]+(\/[\w@.-]*)*$/.test(span) || MADE_BY_READER.has(span)) return false;
    return span.includes("/")
      ? folders.has(span.split("/")[0] ?? "")
      : /^[\w.-]+\.(ts|js|cjs|json|md|ndjson)$/.test(span);
  });
  return named.filter((path) => !exists(path)).map((path) => `there is no ${path}`);
};

function exists(path: string): boolean {
  const folder = path.endsWith("/") ? path : `${path}/`;
  return PATHS.has(path) || [...PATHS].some((known) => known.startsWith(folder));
}

/** Names of others that look like ours. */
const OTHERS_NAMES = new Set(["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"]);

const variables: Check = ({ text }) =>
  matches(text, /\b([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b/g)
    .filter((name) => !OTHERS_NAMES.has(name) && !new RegExp(`\\b${name}\\b`).test(CODE))
    .map((name) => `no code knows ${name}`);

/** Pictures are no text, and so not among the files that are read. */
function isPicture(path: string): boolean {
  return /\.(jpg|png)$/.test(path) && existsSync(join(PROJECT, path));
}

const links: Check = ({ path, text }) =>
  matches(text, /\]\(([^)\s]+)\)/g).flatMap((target) => {
    if (target.startsWith("https://")) return [];
    const [file = "", anchor] = target.split("#");
    const linked = file === "" ? path : posix.join(posix.dirname(path), file);
    if (!exists(linked) && !isPicture(linked)) return [`the link ${target} leads nowhere`];
    if (anchor === undefined || !linked.endsWith(".md")) return [];
    const anchors = matches(textOf(linked), /^#+ (.+)$/gm).map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\w -]/g, "")
        .replaceAll(" ", "-"),
    );
    return anchors.includes(anchor) ? [] : [`${linked} has no heading for #${anchor}`];
  });

/** Every name that a deployment under one of the environments' suffixes has. */
const DEPLOYED_NAMES = new Set(
  Object.values(ENVIRONMENTS).flatMap((config) =>
    Object.values(namesOf(config)).flatMap((name) => (typeof name === "string" ? [name] : Object.values(name))),
  ),
);
const SUFFIX = /-(dev|prod)$/;
const BARE_NAMES = new Set([...DEPLOYED_NAMES].map((name) => name.replace(SUFFIX, "")));

/** `payment-files-dev-`, ...: the account's number follows. */
const BUCKET_STARTS = new Set(Object.values(ENVIRONMENTS).flatMap((env) => Object.values(bucketNamesOf(env, ""))));

const names: Check = ({ text }) => {
  const payment =
    /\b((?:(?:persist|update|query|reveal|record|read|seal)_payment|process_payment_mes)\w*(?:-(?:dev|prod))?)/g;
  const functions = matches(text, payment);
  const others = matches(text, /\b((?:query_trans|export_|check_)[a-z]\w*(?:-(?:dev|prod))?)/g);
  const tables = matches(text, /\b(Payment(?:Ledger|Audit)\w*(?:-(?:dev|prod))?)/g);
  const queues = matches(
    text,
    /\b(audit-trail-queue(?:-dlq)?(?:-(?:dev|prod))?|payment-audit-trail[\w-]*\.fifo)(?![\w-])/g,
  );
  const roles = matches(text, /\b(payment[a-z-]*-role(?:-(?:dev|prod))?)\b/g);
  const aliases = matches(text, /\b(alias\/[\w-]+)/g);
  const buckets = matches(text, /s3:\/\/([\w-]+-)(?:\d{12}|ACCOUNT)\b/g);
  return [
    ...[...functions, ...others, ...tables, ...queues, ...roles, ...aliases].filter(
      (name) => !DEPLOYED_NAMES.has(name) && !BARE_NAMES.has(name),
    ),
    ...buckets.filter((start) => !BUCKET_STARTS.has(start)),
  ].map((name) => `nothing is deployed as ${name}`);
};

/** What the function's published schema has against a request. */
function requestErrors(functionName: string, request: unknown): string | undefined {
  const ajv = new Ajv2020({ strict: false });
  const valid = ajv.compile(JSON.parse(textOf(`schemas/v1/${functionName}.request.json`)) as object);
  return valid(request) ? undefined : ajv.errorsText(valid.errors);
}

const requests: Check = ({ text }) =>
  blocksOf(text)
    .flatMap((block) => block.split("\n"))
    .filter((line) => line.includes("aws lambda invoke"))
    .flatMap((line) => {
      const name = /--function-name (\S+)/.exec(line)?.[1] ?? "";
      const base = name.replace(SUFFIX, "");
      const payload = /--payload (?:'([^']*)'|file:\/\/)/.exec(line);
      if (!DEPLOYED_NAMES.has(name) || !Object.values(FUNCTIONS).some((known) => known.name === base))
        return [`invokes ${name}, which is no function`];
      if (!line.includes("--cli-binary-format raw-in-base64-out")) return [`invokes ${name} without the binary format`];
      if (payload === null) return [`invokes ${name} without a payload`];
      if (payload[1] === undefined) return [];
      const errors = requestErrors(base, JSON.parse(payload[1]));
      return errors === undefined ? [] : [`sends ${name} an invalid request: ${errors}`];
    });

/** Tells about the machine or the making of the project, which a reader has nothing of. */
const places: Check = ({ text }) =>
  matches(text, /(\/work\/|\/root\/|\bsandbox\b|\bmirror\b|\bagents?\b)/gi).map((word) => `speaks of "${word}"`);

const CHECKS: readonly { name: string; check: Check; caught: readonly string[] }[] = [
  { name: "commands exist", check: commands, caught: ["`npm run polish`", "`npm audit`", "npx nothing-such"] },
  {
    name: "evidence commands have their options",
    check: payledgerWords,
    caught: ["```sh\nnpx payledger notarize\n```", "```sh\nnpx payledger verify --evidences x\n```"],
  },
  {
    name: "stacks are named in their order",
    check: stackOrder,
    caught: [
      "cdktf.out/stacks/database",
      "npx cdktf deploy network security data functions",
      "for stack in data network;",
    ],
  },
  { name: "files exist", check: files, caught: ["`ledger/gold.ts`", "`handlers/runtime/none/`", "`missing.ts`"] },
  { name: "variables exist", check: variables, caught: ["Set `PAYMENT_LEDGER_COLOUR`."] },
  { name: "links lead somewhere", check: links, caught: ["[x](docs/none.md)", "[x](README.md#none)", "[x](#none)"] },
  {
    name: "names are deployed ones",
    check: names,
    caught: [
      "`persist_payments`",
      "`query_payment_ledgers`",
      "`PaymentLedgers`",
      "`payment-reader-role`",
      "`alias/payment-gold`",
      "`process_payment_message`",
      "`query_transaction`",
      "`export_table`",
      "`audit-trail-queue-prod`",
      "`payment-audit-trails.fifo`",
      "aws s3 cp x s3://payment-file-dev-111122223333/payments/x",
    ],
  },
  {
    name: "requests are valid",
    check: requests,
    caught: [
      "```sh\naws lambda invoke --function-name record --payload file://x answer.json\n```",
      "```sh\naws lambda invoke --function-name query_payment_ledger --payload file://x answer.json\n```",
      '```sh\naws lambda invoke --function-name query_payment_ledger --cli-binary-format raw-in-base64-out \\\n  --payload \'{"Query":"all"}\' x\n```',
    ],
  },
  { name: "nothing about a machine is said", check: places, caught: [`It lies in /${"root"}/ledger.`] },
];

test("the documents are read", () => {
  expect(DOCS.map(({ path }) => path)).toEqual(
    expect.arrayContaining([
      "README.md",
      "SECURITY.md",
      "CONTRIBUTING.md",
      "docs/architecture.md",
      "docs/deploy.md",
      "help",
    ]),
  );
});

describe.each(CHECKS)("$name", ({ check, caught }) => {
  test.each(DOCS)("in $path", (doc) => {
    expect(check(doc)).toEqual([]);
  });

  test.each(caught)("and an objection is raised to %j", (text) => {
    expect(check({ path: "sample.md", text })).not.toEqual([]);
  });
});

// --------------------------------------------------------------------------------------------------- what they must say

test("help and deploy.md name every setting of a synth, and no other", () => {
  const settings = new Set<string>(Object.values(OVERRIDES));
  const named = (path: string) => new Set(matches(textOf(path), /\b(PAYMENT_LEDGER_[A-Z_]+)\b/g));
  expect(named("help")).toEqual(settings);
  const explained = new Set([...named("README.md"), ...named("docs/deploy.md")]);
  expect(explained).toEqual(settings);
});

const { stacks } = synthesize(configOf("prod"));
const numberOf = (stack: keyof typeof stacks, type: string) => Object.keys(stacks[stack].resource[type] ?? {}).length;

test("deploy.md gives the environments' own values", () => {
  const { dev, prod } = ENVIRONMENTS;
  const text = textOf("docs/deploy.md");
  const row = (what: string, value: (config: typeof dev) => string) => `| ${what} | ${value(dev)} | ${value(prod)} |`;
  expect(text).toContain(row("tables refuse deletion", (env) => (env?.protections.deletionProtection ? "yes" : "no")));
  expect(text).toContain(
    row("KMS keys destroyed after the order", (env) => `${env?.protections.kmsDeletionWindowDays} days`),
  );
  expect(text).toContain(row("logs kept", (env) => `${env?.logRetentionDays} days`));
  expect(text).toContain(row("point-in-time recovery", (env) => `${env?.pitrRecoveryDays} days`));
  expect(text).toContain(
    row("backups in the vault, daily and weekly", (env) => {
      return `${env?.backups.daily.retentionDays} and ${env?.backups.weekly.retentionDays} days`;
    }),
  );
  expect(text).toContain(row("exports and their check reports kept", (env) => `${env?.retention.exportDays} days`));
  const days = (count = 0) => (count === 1 ? "1 day" : `${count} days`);
  expect(text).toContain(
    row("what CloudTrail wrote: kept, and locked", (env) => {
      const lock = env?.protections.trailLock;
      return `${env?.retention.trailDays} days, ${days(lock?.days)} (${lock?.mode})`;
    }),
  );
  expect(text).toContain(
    row("vault locked permanently", (env) => {
      const lock = env?.protections.vaultLock;
      return lock ? `${lock.changeableForDays} days after it is made` : "no";
    }),
  );
  expect(text).toContain(
    row("buckets and vault emptied by a destroy", (env) => (env?.protections.emptyOnDestroy ? "yes" : "no")),
  );
  const reserved = Object.values(prod?.protections.reservedConcurrency ?? {});
  expect(text).toContain(`\`prod\` reserves ${reserved.reduce((sum, each) => sum + each, 0)} of`);
});

test("architecture.md counts what the stacks hold, and names their outputs", () => {
  const rows = Object.fromEntries(
    tableUnder("docs/architecture.md", "Stacks").map(([id = "", ...rest]) => [id, rest.join()]),
  );
  expect(Object.keys(rows)).toEqual(STACK_IDS.map((id) => `\`${id}\``));
  expect(rows["`security`"]).toContain(
    `${numberOf("security", "aws_kms_key")} KMS keys, ${Object.keys(ROLES).length} function`,
  );
  expect(rows["`data`"]).toContain(`${numberOf("data", "aws_dynamodb_table")} tables`);
  expect(rows["`data`"]).toContain(`${numberOf("data", "aws_s3_bucket")} buckets`);
  expect(rows["`functions`"]).toContain(`${numberOf("functions", "aws_lambda_function")} functions`);
  for (const id of STACK_IDS) {
    const outputs = Object.keys(stacks[id].output).filter((name) => /^[A-Z]/.test(name));
    expect(marked(rows[`\`${id}\``] ?? "")).toEqual(expect.arrayContaining(outputs));
  }
});

describe("architecture.md says the stored forms", () => {
  const named = (heading: string) => tableUnder("docs/architecture.md", heading).flatMap(([cell = ""]) => marked(cell));
  const at = "2026-11-21T12:00:00.000Z";
  const texts = { amount: "1.00", currency: "EUR" };
  const imported = { from: "old", processedAt: at };

  test("of payment-transactions", async () => {
    const payment = { transactionId: "t", ...texts, cardLast4: "4242", metadata: "{}" };
    const { item } = await transactionRecord(payment, { recordedAt: at, contentMac: "", imported }, stubServices());
    expect(named(TABLES.paymentTransactions.logicalName).sort()).toEqual(Object.keys(item).sort());
  });

  test("of payment-audit-trail", async () => {
    const payment = { paymentId: "p", ...texts, processorId: "x", status: "ok" };
    const { item } = await messageRecord(payment, { recordedAt: at, contentMac: "", imported }, stubServices());
    expect(named(TABLES.paymentMessages.logicalName).sort()).toEqual(Object.keys(item).sort());
  });

  test("of PaymentAuditTrail, with its actions", async () => {
    const { item } = await auditPut(
      {
        auditId: "a",
        action: "READ",
        actor: "x",
        timestamp: at,
        recordedAt: at,
        caller: { requestId: "r", functionName: "f", principal: "p", via: "queue" },
        origin: "EVENT",
        evidence: { path: "p", sha256: "0" },
        transactionId: "t",
        table: "PaymentLedger",
        contentMac: "m",
        repeatOf: "a",
        eventId: "e",
        importedFrom: "old",
        queued: { sequenceNumber: "1", sentAt: at },
        query: { recordIds: [] },
        response: { recordIds: [], result: "ok" },
      },
      stubServices(),
    );
    const heading = TABLES.paymentAuditTrail.logicalName;
    expect(named(heading).sort()).toEqual([...Object.keys(item), "PartOf"].sort());
    const rows = new Map(
      tableUnder("docs/architecture.md", heading).map(([name = "", ...rest]) => [name, rest.join()]),
    );
    expect(marked(rows.get("`Action`") ?? "")).toEqual([...LEDGER_ACTIONS]);
    const caller = item["Caller"];
    expect(marked(rows.get("`Caller`") ?? "")).toEqual(
      caller !== undefined && "M" in caller ? Object.keys(caller.M) : [],
    );
  });

  test("of every kind of AuditID", () => {
    const kinds = tableUnder("docs/architecture.md", "AuditID").map(([letter = "", name = ""]) => [
      marked(letter)[0],
      marked(name)[0],
    ]);
    const known = matches(textOf("ledger/rules/identifiers.ts"), /^ {2}([A-Z]+): "[A-Z]",$/gm);
    expect(kinds.map(([, name]) => name).sort()).toEqual(known.sort());
    for (const [letter, name] of kinds) expect(derivedAuditId(name as AuditIdKind, "x")).toMatch(`${letter}~`);
  });
});

describe("SECURITY.md", () => {
  const rowNames = (heading: string) => tableUnder("SECURITY.md", heading).flatMap(([cell = ""]) => marked(cell));
  const deployed = namesOf(configOf("prod"));

  test("has a row for every role and every key, and names every queue where messages wait", () => {
    expect(rowNames("Roles")).toEqual(Object.values(ROLES));
    const aliases = Object.values(deployed.keyAliases).map((alias) => alias.replace(SUFFIX, ""));
    expect(rowNames("Keys")).toEqual([...aliases, "alias/payment-checkpoint-1"]);
    const text = textOf("SECURITY.md");
    for (const queue of [deployed.failureQueue, ...Object.values(deployed.deadLetterQueues)]) {
      expect(text).toContain(`\`${queue}\``);
    }
  });

  const roles = Object.values(ROLES);
  /** ``every function role but `x` ``, or the roles that are named, or nobody. */
  const rolesIn = (cell: string) => {
    return cell.startsWith("every") ? roles.filter((role) => !marked(cell).includes(role)) : marked(cell);
  };

  test.each([
    ["paymentLedger", "payment-ledger", 1],
    ["paymentAuditTrail", "payment-audit-trail", 2],
    ["paymentMessages", "payment-messages-trail", 3],
    ["paymentTransactions", "payment-transactions", 4],
  ] as const)("says who puts and updates in %s as its policy does", (_table, id, column) => {
    const [put = [], update = [], rest = []] = tableUnder("SECURITY.md", "What the tables' policies take back");
    const guard = (sid: string) => statement(stacks.data, `${id}-guard-policy`, sid);
    const allowed = (sid: string) => lastParts(conditionOf(guard(sid), "aws:PrincipalArn")?.values ?? []);
    expect(rolesIn(put[column] ?? "").map(prodName)).toEqual(allowed("OnlyFunctionsPut"));
    expect(rest[column]).toBe("nobody");
    const nobodyUpdates = guard("AppendOnly").actions.includes("dynamodb:UpdateItem");
    expect(update[column] === "nobody").toBe(nobodyUpdates);
    if (!nobodyUpdates) expect(rolesIn(update[column] ?? "").map(prodName)).toEqual(allowed("OnlyStatusChangesUpdate"));
  });
});

test("no two decisions share a title, and each has a reason", () => {
  const decisions = textOf("docs/decisions.md").split("\n- ").slice(1);
  const titles = decisions.map((decision) => /^\*\*([^*]+)\*\*/.exec(decision)?.[1]);
  expect(titles).toEqual([...new Set(titles.filter((title) => title !== undefined))]);
  for (const decision of decisions) expect(decision.split("\n\n")[0]?.length).toBeGreaterThan(120);
});

test("the README names every function, and every promise where it is shown", () => {
  const text = textOf("README.md");
  for (const { name } of Object.values(FUNCTIONS)) expect(text).toContain(`| \`${name}\` |`);
  const promises =
    text
      .split("## What is guaranteed")[1]
      ?.split("\n## ")[0]
      ?.split("\n")
      .filter((line) => line.startsWith("| ")) ?? [];
  expect(promises.length).toBeGreaterThan(8);
  for (const line of promises.slice(1)) expect(line).toMatch(/`(__tests__\/[\w/.-]+\.test\.ts|tools\/[\w./-]+)` \|$/);
});

// ------------------------------------------------------------------------------------------------------- what can be run

test.each(DOCS.filter(({ text }) => blocksOf(text).length > 0))(
  "the commands of $path are well-formed shell",
  ({ text }) => {
    for (const block of blocksOf(text)) {
      if (/^\s*(npm|npx|aws|for|PAYMENT_LEDGER)/.test(block))
        execFileSync("bash", ["-n"], { input: block, stdio: "pipe" });
    }
  },
);

describe("a synth", () => {
  const folder = mkdtempSync(join(tmpdir(), "payment-ledger-docs-"));
  const home = join(folder, "home");
  const calls = join(folder, "calls.txt");
  mkdirSync(home);
  beforeEach(() => writeFileSync(calls, ""));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** No AWS settings, no home with a profile, no Terraform on the path. Each look-up of a host name is refused and written down. */
  function run(command: string, ...words: string[]): void {
    const path = [join(process.execPath, ".."), "/usr/bin", "/bin"].join(":");
    const hook = `--require=${join(__dirname, "support", "refuse-network.cjs")}`;
    execFileSync(command, words, {
      cwd: PROJECT,
      env: { PATH: path, HOME: home, CI: "1", NODE_OPTIONS: hook, REFUSED_CALLS: calls },
      stdio: "pipe",
    });
  }

  test.each([
    { words: ["npm", "run", "synth", "--"], file: "cdk.tf.json", hosts: [] },
    // Without CHECKPOINT_DISABLE the CDKTF command line asks its makers for a newer version.
    { words: ["npx", "cdktf", "synth", "--hcl"], file: "cdk.tf", hosts: ["checkpoint-api.hashicorp.com"] },
  ])("by $words writes the four stacks; it looks up $hosts", ({ words, file, hosts }) => {
    const output = join(folder, file);
    const [command = "", ...rest] = words;
    run(command, ...rest, "--output", output);
    const manifest = JSON.parse(readFileSync(join(output, "manifest.json"), "utf8")) as { stacks: object };
    expect(Object.keys(manifest.stacks).sort()).toEqual(STACK_IDS.toSorted());
    const sizes = STACK_IDS.map((id) => readFileSync(join(output, "stacks", id, file), "utf8").length);
    expect(Math.min(...sizes)).toBeGreaterThan(2_000);
    expect(readFileSync(join(output, "stacks", "data", file), "utf8")).toContain("aws_dynamodb_table");
    const asked = readFileSync(calls, "utf8")
      .split("\n")
      .filter((line) => line !== "");
    expect([...new Set(asked)]).toEqual(hosts);
  });
});
