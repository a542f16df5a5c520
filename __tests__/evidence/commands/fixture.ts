/** The offline evidence commands in the folder of an auditor: those of the one file, and that file itself. */

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { AUDITORS_PROGRAM } from "../../../evidence/commands/offline";
import { buildVerifier } from "../../../tools/build-verifier";
import { addManifest, type BuiltWorld, buildWorld, md5Of, type World } from "../../support/log-world";
import { type Files, logKey } from "../../support/naive-log";
import { runInProcess } from "../../support/run-in-process";
import type { ScriptResult } from "../../support/run-script";

export const KEY = logKey("log");
export const SECOND_KEY = logKey("log", "ecdsa");
export const STRANGER = logKey("stranger");
export const WITNESS = logKey("witness", "cosignature", "witness.example/w1");
export const OTHER_WITNESS = logKey("other", "cosignature", "witness.example/w2");

/** Evidence and exports of a small ledger, and the file with the commands; nothing else is in the folder. */
export class Auditor {
  readonly top = mkdtempSync(path.join(tmpdir(), "payment-ledger-auditor-"));
  readonly built: BuiltWorld;

  constructor(between?: (world: World) => void) {
    buildVerifier(path.join(this.top, "evidence.js"));
    this.built = buildWorld([KEY, SECOND_KEY], WITNESS, true, between);
    this.put("evidence", this.built.evidence);
    this.put("", this.built.exports);
    this.write("log.vkey", `${KEY.vkey}\n`);
    this.write("last", this.built.lastCheckpoint);
  }

  put(folder: string, files: Files): void {
    for (const [name, bytes] of files) this.write(path.posix.join(folder, name), bytes);
  }

  file(name: string): string {
    return path.join(this.top, ...name.split("/"));
  }

  read(name: string): string {
    return readFileSync(this.file(name), "utf8");
  }

  write(name: string, bytes: Buffer | string): void {
    mkdirSync(path.dirname(this.file(name)), { recursive: true });
    writeFileSync(this.file(name), bytes);
  }

  /** Runs the commands that are built into the file, inside the test: a start of the file takes a fifth of a second. */
  run(...words: readonly string[]): Promise<ScriptResult> {
    return runInProcess(AUDITORS_PROGRAM, words, { surroundings: { folder: this.top, variables: {} } });
  }

  /** Starts the file with Node.js. */
  runFile(...words: readonly string[]): Promise<ScriptResult> {
    const place = { cwd: this.top, env: { PATH: "" } };
    return new Promise((resolve) => {
      execFile(process.execPath, ["evidence.js", ...words], place, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      );
    });
  }

  /** Runs it while a file is another; `undefined` removes it. */
  async with(
    name: string,
    change: (text: Buffer) => Buffer | string | undefined,
    ...words: string[]
  ): Promise<ScriptResult> {
    const before = readFileSync(this.file(name));
    const after = change(before);
    if (after === undefined) rmSync(this.file(name));
    else this.write(name, after);
    try {
      return await this.run(...words);
    } finally {
      this.write(name, before);
    }
  }

  /** Changes the lines of a data file, and its manifest's checksum and counts with them. */
  rewriteData(name: string, change: (line: string) => string): void {
    const lines = gunzipSync(readFileSync(this.file(name)))
      .toString("utf8")
      .split("\n")
      .map(change);
    const kept = lines.filter((line) => line !== "");
    const body = gzipSync(kept.map((line) => `${line}\n`).join(""));
    this.write(name, body);
    const top = name.slice(0, name.indexOf("/data/"));
    let items = 0;
    const manifest = this.read(`${top}/manifest-files.json`)
      .split("\n")
      .filter(Boolean)
      .map((line) => {
        const file = JSON.parse(line) as { itemCount: number; dataFileS3Key: string };
        const isThis = file.dataFileS3Key.endsWith(path.basename(name));
        const changed = isThis ? { ...file, itemCount: kept.length, md5Checksum: md5Of(body) } : file;
        items += changed.itemCount;
        return `${JSON.stringify(changed)}\n`;
      });
    const files: Files = new Map();
    addManifest(files, `${top}/manifest-files`, manifest.join(""));
    const summary = JSON.parse(this.read(`${top}/manifest-summary.json`)) as object;
    addManifest(files, `${top}/manifest-summary`, JSON.stringify({ ...summary, itemCount: items }));
    this.put("", files);
  }

  delete(): void {
    rmSync(this.top, { recursive: true });
  }
}

export function flipped(at: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };
}
