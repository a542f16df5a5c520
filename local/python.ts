/**
 * Finds a Python and keeps one virtual environment per set of pinned packages under `.local/venv/`.
 * Two tools of the project are Python programs: the embedded AWS and Checkov; and `go-program.ts` gets its Go compiler as a
 * Python package. Nothing else may need Python.
 */
import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { LocalError } from "./errors";

/** Newest first among the versions that the pins are tried on; then whatever else is there. */
const CANDIDATES = ["python3.13", "python3.12", "python3.11", "python3.10", "python3.14", "python3"];
const MINIMUM_MINOR = 10;
const PROBE_TIMEOUT_MS = 15_000;
const INSTALL_TIMEOUT_MS = 300_000;
const BUILD_POLL_MS = 100;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/** Prints version, platform and whether a virtual environment with pip can be made. */
const PROBE = `
import sys, sysconfig
try:
    import venv, ensurepip
    usable = "venv"
except ImportError:
    usable = "no-venv"
print("\\n".join(["%d.%d.%d" % sys.version_info[:3], sysconfig.get_platform(), usable, sys.executable]))
`;

const INSTALL_HELP = [
  "  Debian/Ubuntu: sudo apt-get install python3 python3-venv",
  "  Fedora:        sudo dnf install python3",
  "  macOS:         brew install python@3.13",
].join("\n");

interface Python {
  readonly executable: string;
  readonly version: string;
  readonly platform: string;
}

export interface VenvRequest {
  /** What the packages are for; becomes part of the folder's name. */
  readonly name: string;
  /** A requirements file that pins every package with its hashes. */
  readonly requirementsFile: string;
  /** Where the environments are kept. */
  readonly directory?: string;
  /** Called once when packages are about to be installed, which takes seconds and needs the network. */
  readonly onInstall?: (message: string) => void;
}

export interface Venv {
  readonly directory: string;
  /** Run programs as `python -m <module>`: the console scripts beside it carry the path of the build folder. */
  readonly python: string;
}

/**
 * Returns the virtual environment of these requirements, made on first use. A change of the requirements, of Python or
 * of the platform (a checkout shared with a container) gives another folder, so nothing stale is ever used.
 */
export async function ensureVenv(request: VenvRequest): Promise<Venv> {
  const requirements = await readFile(request.requirementsFile);
  const python = await findPython();
  const key = createHash("sha256")
    .update(requirements)
    .update(`\n${python.version}\n${python.platform}\n${python.executable}`)
    .digest("hex")
    .slice(0, 12);
  const parent = request.directory ?? path.join(__dirname, "..", ".local", "venv");
  const directory = path.join(parent, `${request.name}-${key}`);
  if (!existsSync(directory)) {
    request.onInstall?.(`Installing the Python packages of ${request.name} once, into ${path.relative("", directory)}`);
    await buildVenv(python, request.requirementsFile, parent, directory);
  }
  return { directory, python: path.join(directory, "bin", "python") };
}

/** Builds aside and renames: the folder appears complete or not at all, and of two builders at once one wins and both use it. */
async function buildVenv(python: Python, requirementsFile: string, parent: string, directory: string): Promise<void> {
  await mkdir(parent, { recursive: true });
  await removeAbandonedBuilds(parent);
  if (await builtByAnother(parent, directory)) return;
  const building = path.join(parent, `.building-${process.pid}-${randomUUID()}-${path.basename(directory)}`);
  try {
    await run(python.executable, ["-m", "venv", building]);
    const pip = ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--require-hashes"];
    await run(path.join(building, "bin", "python"), [...pip, "--requirement", requirementsFile]);
    await rename(building, directory);
  } catch (cause) {
    if (existsSync(directory)) return;
    throw new LocalError(
      "PYTHON_PACKAGES_FAILED",
      `The Python packages of ${path.basename(requirementsFile)} could not be installed with ${python.executable} (${python.version}).\n` +
        "They are wheels pinned by hash and come from the Python package index that pip is configured for.\n" +
        `Check the network and pip's index, then run the command again. pip said:\n${outputOf(cause)}`,
      { cause },
    );
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

/** Waits for another process that builds the same folder, as the workers of a first test run do. False when no other process builds it, or when that process failed. */
async function builtByAnother(parent: string, directory: string): Promise<boolean> {
  const deadline = Date.now() + INSTALL_TIMEOUT_MS;
  while (Date.now() < deadline && !existsSync(directory)) {
    const builders = (await readdir(parent)).filter((entry) => entry.endsWith(`-${path.basename(directory)}`));
    if (!builders.map(builderOf).some((pid) => pid !== process.pid && isAlive(pid))) break;
    await delay(BUILD_POLL_MS);
  }
  return existsSync(directory);
}

/** Process id in the name of a folder under construction; 0 for any other name. */
function builderOf(entry: string): number {
  return Number(/^\.building-(\d+)-/.exec(entry)?.[1] ?? 0);
}

/** Folders whose builder was killed; a running builder's folder carries its process id and stays. */
async function removeAbandonedBuilds(parent: string): Promise<void> {
  for (const entry of await readdir(parent)) {
    const pid = builderOf(entry);
    if (pid > 0 && !isAlive(pid)) await rm(path.join(parent, entry), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function findPython(): Promise<Python> {
  let withoutVenv: Python | undefined;
  const tooOld: string[] = [];
  for (const candidate of CANDIDATES) {
    const probe = await probePython(candidate);
    if (probe === undefined) continue;
    const [major = 0, minor = 0] = probe.version.split(".").map(Number);
    if (major !== 3 || minor < MINIMUM_MINOR) tooOld.push(`${candidate} is ${probe.version}`);
    else if (!probe.hasVenv) withoutVenv ??= probe;
    else return probe;
  }
  if (withoutVenv !== undefined) throw venvMissing(withoutVenv);
  throw new LocalError(
    "PYTHON_MISSING",
    `No Python 3.${MINIMUM_MINOR} or newer was found${tooOld.length > 0 ? ` (${tooOld.join(", ")})` : ""}.\n` +
      "The embedded AWS and Checkov are Python programs; the project installs them into a separate folder.\n" +
      `Install Python and run the command again:\n${INSTALL_HELP}`,
  );
}

function venvMissing(python: Python): LocalError {
  const minor = python.version.split(".").slice(0, 2).join(".");
  return new LocalError(
    "PYTHON_VENV_MISSING",
    `${python.executable} (${python.version}) lacks the venv or ensurepip module.\n` +
      "The project keeps its Python packages in a virtual environment and never installs into the system's Python.\n" +
      `Install the module and run the command again:\n  Debian/Ubuntu: sudo apt-get install python${minor}-venv\n` +
      "  Fedora:        sudo dnf install python3 python3-pip\n  macOS:         brew install python@3.13",
  );
}

/** Undefined where the command does not exist or does not run (version managers leave commands that only print a complaint). */
async function probePython(command: string): Promise<(Python & { hasVenv: boolean }) | undefined> {
  try {
    const output = await run(command, ["-I", "-c", PROBE], PROBE_TIMEOUT_MS);
    const [version, platform, usable, executable] = output.trim().split("\n");
    if (!version || !platform || !executable) return undefined;
    return { executable, version, platform, hasVenv: usable === "venv" };
  } catch {
    return undefined;
  }
}

function run(command: string, args: readonly string[], timeoutMs = INSTALL_TIMEOUT_MS): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: process.env, timeout: timeoutMs, maxBuffer: OUTPUT_BYTES_MAX };
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error) reject(Object.assign(error, { output: `${stdout}${stderr}` }));
      else resolve(stdout);
    });
  });
}

function outputOf(cause: unknown): string {
  const output = cause instanceof Error && "output" in cause ? String(cause.output) : String(cause);
  return output.trim().split("\n").slice(-8).join("\n");
}
