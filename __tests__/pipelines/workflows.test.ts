/** The GitHub Actions workflows: valid by actionlint, and careful with rights, secrets and other people's code. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type GoProgram, goProgram } from "../../local/go-program";
import { PROJECT } from "../support/project-files";

const FOLDER = path.join(PROJECT, ".github", "workflows");
const WORKFLOWS = readdirSync(FOLDER).map((name) => ({ name, text: readFileSync(path.join(FOLDER, name), "utf8") }));

describe("actionlint", () => {
  // Neither of the two other linters that it would call is part of the pins.
  const options = ["-no-color", "-shellcheck=", "-pyflakes="];
  let actionlint: GoProgram;

  beforeAll(async () => {
    actionlint = await goProgram({
      name: "actionlint",
      folder: path.join(__dirname, "actionlint"),
      package: "github.com/rhysd/actionlint/cmd/actionlint",
      files: [],
    });
  }, 300_000);

  test("accepts every workflow", async () => {
    const files = WORKFLOWS.map(({ name }) => path.join(FOLDER, name));
    expect(await actionlint(...options, ...files)).toEqual({ code: 0, out: "", err: "" });
  });

  test("refuses a workflow that names a job which does not exist", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "payment-ledger-workflow-"));
    try {
      const file = path.join(folder, "wrong.yml");
      writeFileSync(
        file,
        "on: push\njobs:\n  a:\n    needs: b\n    runs-on: ubuntu-24.04\n    steps: [{ run: 'true' }]\n",
      );
      const { code, out } = await actionlint(...options, file);
      expect(code).toBe(1);
      expect(out).toContain('job "a" needs job "b" which does not exist');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe.each(WORKFLOWS)("$name", ({ text }) => {
  test("every action is pinned to a commit, and says its version", () => {
    const uses = [...text.matchAll(/uses: (.+)/g)].map(([, used = ""]) => used);
    expect(uses.length).toBeGreaterThan(0);
    for (const used of uses) expect(used).toMatch(/^(\.\/|[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$)/);
  });

  test("rights start at reading, and no long-lived AWS key is used", () => {
    expect(text).toMatch(/^permissions:\n {2}contents: read$/m);
    expect(text).not.toMatch(/pull_request_target|aws-access-key-id|secrets\.|write-all/);
  });

  test("no input or branch name reaches a shell as code", () => {
    const shell = [...text.matchAll(/run: (?:\|\n((?:(?: {10,}.*)?\n)+)|(.+))/g)].map((run) => run[1] ?? run[2] ?? "");
    // The matrix is written in the workflow itself.
    for (const code of shell) expect(code).not.toMatch(/\$\{\{ (?!matrix\.form )/);
  });
});

test("a deployment applies the plan that was reviewed, in the order of the stacks", () => {
  const text = (name: string) => WORKFLOWS.find((workflow) => workflow.name === name)?.text ?? "";
  const order = [...text("deploy.yml").matchAll(/^ {2}(\w+):\n {4}needs: (\w+)\n {4}uses:/gm)].map((job) =>
    job.slice(1),
  );
  expect(order).toEqual([
    ["security", "synth"],
    ["network", "security"],
    ["data", "network"],
    ["functions", "data"],
  ]);
  const applies = [...text("deploy-stack.yml").matchAll(/terraform apply .*/g)].map(([line]) => line);
  expect(applies).toEqual(["terraform apply -input=false -no-color stack.plan"]);
});
