import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ensureVenv } from "../../local/python";

let scratch: string;
const pathBefore = process.env["PATH"];

beforeEach(() => {
  scratch = mkdtempSync(path.join(tmpdir(), "python-test-"));
  mkdirSync(path.join(scratch, "bin"));
});

afterEach(() => {
  process.env["PATH"] = pathBefore;
  rmSync(scratch, { recursive: true, force: true });
});

/** Makes PATH hold only these commands, each a shell script. */
function onlyCommands(scripts: Readonly<Record<string, string>>): void {
  for (const [name, body] of Object.entries(scripts)) {
    writeFileSync(path.join(scratch, "bin", name), `#!/bin/sh\n${body}\n`);
    chmodSync(path.join(scratch, "bin", name), 0o755);
  }
  process.env["PATH"] = path.join(scratch, "bin");
}

function answering(version: string, usable = "venv"): string {
  return `printf '%s\\n' ${version} test-platform ${usable} /fake/python`;
}

/** A Python whose virtual environments hold a pip that runs this shell text. */
function working(pip = "exit 0"): string {
  return [
    'if [ "$1 $2" = "-m venv" ]; then',
    '  /bin/mkdir -p "$3/bin"',
    `  printf '#!/bin/sh\\n%s\\n' '${pip}' > "$3/bin/python"`,
    '  /bin/chmod 755 "$3/bin/python"',
    `else ${answering("3.12.3").replace("/fake/python", "$0")}; fi`,
  ].join("\n");
}

function ensure(requirements = "") {
  const requirementsFile = path.join(scratch, "requirements.txt");
  writeFileSync(requirementsFile, requirements);
  return ensureVenv({ name: "test", requirementsFile, directory: path.join(scratch, "venv") });
}

const INSTALL_WORDS = ["apt-get install", "dnf install", "brew install"];

function expectRemedies(error: Error): void {
  for (const words of INSTALL_WORDS) expect(error.message).toContain(words);
}

describe("what is missing is said, with what to install", () => {
  test("no Python at all", async () => {
    onlyCommands({});
    const error = await ensure().catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "PYTHON_MISSING" });
    expectRemedies(error);
  });

  test("only a Python that is too old", async () => {
    onlyCommands({ python3: answering("3.8.10") });
    const error = await ensure().catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "PYTHON_MISSING", message: expect.stringContaining("python3 is 3.8.10") });
    expectRemedies(error);
  });

  test("a Python without the venv module: the package of that very version is named", async () => {
    onlyCommands({ python3: answering("3.12.3", "no-venv") });
    const error = await ensure().catch((thrown) => thrown);
    expect(error).toMatchObject({
      code: "PYTHON_VENV_MISSING",
      message: expect.stringContaining("apt-get install python3.12-venv"),
    });
    expectRemedies(error);
  });

  test("a command of a version manager that only complains is passed over", async () => {
    onlyCommands({ "python3.13": "echo 'command not found' >&2; exit 127", python3: answering("3.9.1") });
    await expect(ensure()).rejects.toMatchObject({ message: expect.stringContaining("(python3 is 3.9.1)") });
  });

  test("a usable older Python is taken before a newer one without venv", async () => {
    onlyCommands({ "python3.12": answering("3.12.3", "no-venv"), "python3.11": answering("3.11.2") });
    await expect(ensure()).rejects.toMatchObject({
      code: "PYTHON_PACKAGES_FAILED",
      message: expect.stringContaining("/fake/python (3.11.2)"),
    });
  });
});

describe("the environment", () => {
  test("is built once by two builders at the same time, leaves nothing half-built, and changes with its requirements", async () => {
    onlyCommands({ python3: working() });
    const [first, second] = await Promise.all([ensure(), ensure()]);
    expect(first).toEqual(second);
    expect(existsSync(first.python)).toBe(true);
    expect(readdirSync(path.join(scratch, "venv"))).toEqual([path.basename(first.directory)]);

    const changed = await ensure("# another wish\n");
    expect(changed.directory).not.toBe(first.directory);
  });

  test("a folder that a killed builder left is removed by the next one", async () => {
    onlyCommands({ python3: working() });
    const abandoned = path.join(scratch, "venv", ".building-999999999-x");
    mkdirSync(abandoned, { recursive: true });
    const { directory } = await ensure();
    expect(readdirSync(path.join(scratch, "venv"))).toEqual([path.basename(directory)]);
  });

  test("packages that cannot be installed are an error with pip's words, and nothing is left", async () => {
    onlyCommands({ python3: working("echo no matching distribution >&2; exit 1") });
    await expect(ensure()).rejects.toMatchObject({
      code: "PYTHON_PACKAGES_FAILED",
      message: expect.stringContaining("no matching distribution"),
    });
    expect(readdirSync(path.join(scratch, "venv"))).toEqual([]);
  });
});
