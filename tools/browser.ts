/**
 * A headless Chromium for tests and pictures, from a package of the registry: nothing is downloaded when it starts, and it
 * opens files of this machine only. It runs on Linux on x64, with the libraries and the font that the package brings.
 */

import { execFileSync } from "node:child_process";
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { brotliDecompressSync, createBrotliDecompress } from "node:zlib";
import { type Browser, chromium } from "playwright-core";
import { CodedError } from "../contract";

const PACKAGE = join(dirname(require.resolve("@sparticuz/chromium")), "..", "..");

export class BrowserError extends CodedError<"BROWSER_MISSING"> {
  override readonly name = "BrowserError";
}

/** @throws BrowserError on a machine for which the package holds no browser. */
export async function startBrowser(): Promise<Browser> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    const message = `The browser of the tests runs on Linux on x64, and this is ${process.platform} on ${process.arch}. Run them in a container.`;
    throw new BrowserError("BROWSER_MISSING", message);
  }
  const folder = await unpacked();
  return chromium.launch({
    executablePath: join(folder, "chromium"),
    // As root there is no other way, and the browser opens only what the caller wrote.
    args: ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"],
    env: { HOME: folder, LD_LIBRARY_PATH: join(folder, "lib"), FONTCONFIG_FILE: join(folder, "fonts.conf") },
  });
}

/** Unpacked once for each version of the package. */
async function unpacked(): Promise<string> {
  const { version } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")) as { readonly version: string };
  const folder = join(PACKAGE, "..", "..", ".cache", `chromium-${version}`);
  if (existsSync(folder)) return folder;
  const partial = `${folder}.${process.pid}.part`;
  mkdirSync(partial, { recursive: true });
  const file = createWriteStream(join(partial, "chromium"), { mode: 0o755 });
  await pipeline(createReadStream(join(PACKAGE, "bin", "chromium.br")), createBrotliDecompress(), file);
  for (const name of ["al2023.tar.br", "fonts.tar.br"]) {
    const input = brotliDecompressSync(readFileSync(join(PACKAGE, "bin", name)));
    execFileSync("tar", ["-x", "--no-same-owner", "-C", partial], { input });
  }
  writeFileSync(join(partial, "fonts.conf"), fontsIn(folder));
  try {
    renameSync(partial, folder);
  } catch (error) {
    // Another process was faster.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

function fontsIn(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${join(folder, "fonts")}</dir><cachedir>${join(folder, "fonts-cache")}</cachedir></fontconfig>
`;
}
