/** House rules over the packages: pins, lock file, who may use which, and the scripts that help must name. */

import { posix } from "node:path";
import { imports, isCode, type SourceFile, under } from "./project-files";

interface Package {
  readonly scripts?: Record<string, string>;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

export function textOf(files: readonly SourceFile[], path: string): string | undefined {
  return files.find((file) => file.path === path)?.text;
}

function packageOf(files: readonly SourceFile[]): Package {
  return JSON.parse(textOf(files, "package.json") ?? "{}") as Package;
}

export function looseVersions(files: readonly SourceFile[]): string[] {
  const { dependencies, devDependencies } = packageOf(files);
  const versions = Object.entries({ ...dependencies, ...devDependencies });
  return versions
    .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => `package.json: ${name} is "${version}". Pin one exact version.`);
}

interface LockedPackage {
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

/** A registry that lacks another platform's packages makes a lock file without them, with which `npm ci` stops. */
export function lockGaps(files: readonly SourceFile[]): string[] {
  const lock = JSON.parse(textOf(files, "package-lock.json") ?? "{}") as { packages?: Record<string, LockedPackage> };
  const packages = lock.packages ?? {};
  const { dependencies, devDependencies } = packages[""] ?? {};
  const wanted = packageOf(files);
  const agrees =
    JSON.stringify([dependencies, devDependencies]) === JSON.stringify([wanted.dependencies, wanted.devDependencies]);
  const missing = Object.entries(packages).flatMap(([place, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !isInstalled(place, name, packages)),
  );
  return [
    ...(agrees ? [] : ["package-lock.json is not that of package.json. Run npm install and commit both."]),
    ...missing.map((name) => `package-lock.json lacks ${name}. Make it anew with a registry that has all platforms.`),
  ];
}

/** Node looks beside the package that asks, and then in every folder above it. */
function isInstalled(place: string, name: string, packages: object): boolean {
  for (let folder = place; ; folder = folder.slice(0, Math.max(folder.lastIndexOf("/node_modules/"), 0))) {
    if (posix.join(folder, "node_modules", name) in packages) return true;
    if (folder === "") return false;
  }
}

/** What reaches the functions is a dependency; all the rest is a tool. */
export function misplacedPackages(files: readonly SourceFile[]): string[] {
  const { dependencies = {} } = packageOf(files);
  const used = new Set<string>();
  for (const file of files
    .filter(isCode)
    .filter(under("ledger", "store", "operations", "files", "backup", "handlers"))) {
    imports(file, (module) => {
      const name = module.split("/").slice(0, module.startsWith("@") ? 2 : 1);
      if (!module.startsWith(".") && !module.startsWith("node:")) used.add(name.join("/"));
      return undefined;
    });
  }
  // Its types only: there is no package of that name at run time.
  used.delete("aws-lambda");
  const missing = [...used].filter((name) => !(name in dependencies));
  const idle = Object.keys(dependencies).filter((name) => !used.has(name));
  return [
    ...missing.map((name) => `${name} is used by the functions. Move it to "dependencies" of package.json.`),
    ...idle.map((name) => `${name} is not used by the functions. Move it to "devDependencies", or take it out.`),
  ];
}

export function unlistedScripts(files: readonly SourceFile[]): string[] {
  const help = textOf(files, "help") ?? "";
  return Object.keys(packageOf(files).scripts ?? {})
    .filter((script) => !new RegExp(`npm (run )?${script}(?![\\w:-])`).test(help))
    .map((script) => `The npm script "${script}" is not in help. Add a line that says what it does.`);
}

/** tsx's command is a second process, which kills the first when that has not confirmed a signal within 30 ms. */
export function scriptsBehindTsx(files: readonly SourceFile[]): string[] {
  return Object.entries(packageOf(files).scripts ?? {})
    .filter(([, command]) => /\btsx\b/.test(command) && !command.includes("node --import tsx "))
    .map(([name]) => `The npm script "${name}" cannot end in order on Ctrl-C. Run it with "node --import tsx".`);
}
