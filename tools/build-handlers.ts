/**
 * Bundles the functions' code: one zip file for each entry, the same bytes from the same source on every machine and in
 * every folder. `main.ts` calls it at each synth.
 */

import { existsSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { buildSync, type BuildOptions as EsbuildOptions } from "esbuild";
import { strToU8, zipSync } from "fflate";
import { CodedError, FUNCTIONS } from "../contract";
import { writeWhole } from "../evidence/commands/files";
import type { HandlerCode } from "../stacks/constructs/handler-code";
import { type Build, builderOf, fileHash, type Made, recordBuild, recordedBuild } from "./bundle-record";
import { bundledPackages, NOTICES_FILE, noticesText } from "./licences/notices";

/**
 * The first moment that a zip file can name. Local time on purpose: a zip file holds the local time without a zone, so the
 * bytes would differ between time zones otherwise.
 */
const FIXED_TIME = new Date(1980, 0, 1);
/** A fixed mode. Otherwise the file's mode in Lambda would depend on the machine that made the zip. */
const UNIX = 3;
const READABLE_FILE = (0o100644 << 16) >>> 0;
const PROJECT = resolve(__dirname, "..");

/** Parts of the SDK that no function uses, and the small files that the bundles hold instead: each says why. */
const STAND_INS = {
  "@aws-sdk/credential-provider-node": "./handlers/runtime/credentials.ts",
  "@smithy/core/event-streams": "./handlers/runtime/no-event-streams.ts",
};

export class HandlerBuildError extends CodedError<"BUILD_FAILED"> {
  override readonly name = "HandlerBuildError";

  constructor(message: string) {
    super("BUILD_FAILED", message);
  }
}

export interface BuildOptions {
  /** Folder that holds `handlers/` and `node_modules/`. */
  readonly project?: string;
  /** Entry files under `handlers/`, without `.ts`. */
  readonly entries?: readonly string[];
}

/**
 * Builds all entries at once into `dist/handlers/<entry>.zip`, each of which holds `index.js` and the licences of the packages
 * in it. Bundles that exist are taken as they are if a build would make the same.
 */
export function buildHandlers(options: BuildOptions = {}): HandlerCode {
  const { project = PROJECT, entries = Object.values(FUNCTIONS).map(({ entry }) => entry) } = options;
  for (const entry of entries) {
    if (!existsSync(join(project, "handlers", `${entry}.ts`))) {
      throw new HandlerBuildError(
        `handlers/${entry}.ts does not exist.\n  Rule:   every function of contract.ts has its entry file.\n` +
          "  Remedy: add the file, or take the function out of contract.ts.",
      );
    }
  }
  const folder = join(project, "dist", "handlers");
  const build = { project, folder, record: "made-from.json", builder: builderOf(__filename, entries) };
  const made = recordedBuild(build) ?? buildAnew(build, entries);
  return (entry) => {
    const hash = made[`${entry}.zip`];
    if (hash === undefined) {
      throw new HandlerBuildError(`handlers/${entry}.ts was not built: it is no entry of contract.ts.`);
    }
    return { zip: join(folder, `${entry}.zip`), sha256: hash };
  };
}

function buildAnew(build: Build, entries: readonly string[]): Made {
  const { inputs, codes } = bundle(build.project, entries);
  const made = Object.fromEntries(codes.map((code) => [`${code.entry}.zip`, write(build.folder, code)]));
  recordBuild(build, inputs, made);
  return made;
}

const SETTINGS = {
  bundle: true,
  platform: "node",
  // Below the deployed runtime, so that the embedded AWS runs the same bytes on the host's Node.
  target: "node20",
  format: "cjs",
  mainFields: ["module", "main"],
  alias: STAND_INS,
  // The SDK loads node:http by `import()`, which takes longer than `require`.
  supported: { "dynamic-import": false },
  // Names stay readable in stack traces; comments go, and with them the paths that esbuild writes there.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  // Else a linked node_modules would show its real place in the bundle.
  preserveSymlinks: true,
  charset: "utf8",
  logLevel: "silent",
  tsconfigRaw: { compilerOptions: { target: "es2022" } },
} as const satisfies EsbuildOptions;

interface BundledCode {
  readonly entry: string;
  readonly code: Uint8Array;
  readonly notices: string;
}

function bundle(project: string, entries: readonly string[]): { inputs: string[]; codes: BundledCode[] } {
  const outdir = join(project, "dist", "handlers");
  const { outputFiles, metafile } = buildSync({
    ...SETTINGS,
    absWorkingDir: project,
    entryPoints: Object.fromEntries(entries.map((entry) => [`${entry}/index`, `handlers/${entry}.ts`])),
    outdir,
    write: false,
    metafile: true,
    mainFields: [...SETTINGS.mainFields],
  });
  const codes = outputFiles.map(({ path, contents }) => {
    const output = metafile.outputs[relative(project, path).split(sep).join("/")];
    return {
      entry: relative(outdir, path).split(sep)[0] as string,
      code: contents,
      notices: noticesText(bundledPackages(output, project)),
    };
  });
  return { inputs: Object.keys(metafile.inputs), codes };
}

/** Returns the zip file's SHA-256 in hex. */
function write(folder: string, { entry, code, notices }: BundledCode): string {
  const asFile = { level: 9, mtime: FIXED_TIME, os: UNIX, attrs: READABLE_FILE } as const;
  const zipped = zipSync({ "index.js": [code, asFile], [NOTICES_FILE]: [strToU8(notices), asFile] });
  writeWhole(join(folder, `${entry}.zip`), zipped, 0o644);
  return fileHash(zipped);
}
