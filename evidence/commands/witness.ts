/** `witness ...`: makes a witness's key, cosigns the checkpoint of an evidence folder, and serves other logs and clients. */

import { closeSync, existsSync, fsyncSync, openSync, writeSync } from "node:fs";
import path from "node:path";
import { cosignaturePath } from "../log/paths";
import { type SubmittedCheckpoint, submit } from "../verifier/witness-client";
import { cosignerOf, newWitnessKey } from "../verifier/witness-key";
import { fileState } from "../verifier/witness-state";
import { evidenceAt, fileAt, folderAt, logKeys, newestCheckpoint, OPTIONS } from "./arguments";
import type { Command, CommandArguments } from "./command";
import { EvidenceToolError, UsageError } from "./errors";
import { writeWhole } from "./files";
import { witnessServer } from "./witness-server";

export const newKey: Command = {
  summary: "Make a witness's key",
  details: `Writes the private key (PEM, readable by its owner alone) and beside it the verifier key (.vkey), which is also printed. Overwrites nothing.`,
  options: {
    name: { kind: "one", value: "NAME", required: true, about: "Name of the witness, which its cosignatures bear." },
    out: { kind: "one", value: "FILE", required: true, about: "Where the private key goes." },
  },
  run: async (args, { answer }) => {
    args.noOperand();
    const { vkey, pem } = newWitnessKey(args.needed("name"));
    const out = args.needed("out");
    writeNew(out, pem);
    const publicOut = `${out.replace(/\.pem$/, "")}.vkey`;
    writeNew(publicOut, `${vkey}\n`);
    answer({ vkey, privateKey: out, publicKey: publicOut }, vkey);
    return 0;
  },
};

/** The private key is on the disk before its public half is shown. */
function writeNew(place: string, text: string): void {
  let file: number;
  try {
    file = openSync(place, "wx", 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const message = `${place} exists already, and a key that was overwritten cannot be recovered. Name another file.`;
    throw new EvidenceToolError("FILE_EXISTS", message);
  }
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The logs that a witness knows are those whose keys it is given. */
function pinnedLogs(args: CommandArguments) {
  args.neededMany("log-key");
  return logKeys(args, "log-key");
}

export const cosign: Command = {
  summary: "Cosign the checkpoint of an evidence folder",
  details: `Only after a proof that the log still begins with all that this witness saw before. Writes cosignatures/<size>/<key id> into the folder, and remembers the checkpoint in the state file.`,
  options: { evidence: OPTIONS.evidence, key: OPTIONS.witnessKey, "log-key": OPTIONS.logKey, state: OPTIONS.state },
  run: async (args, terminal) => {
    args.noOperand();
    const evidence = evidenceAt(args);
    const cosigner = cosignerOf(fileAt(args.needed("key"), "--key").toString("utf8"));
    const keys = pinnedLogs(args);
    const state = fileState(args.needed("state"));
    const checkpoint = await newestCheckpoint(evidence);
    const submitted = await submit({ evidence, checkpoint, state, logKeys: keys, cosigner, now: Date.now() });
    if (submitted.cosignature === undefined) throw refusalOf(submitted);
    const name = cosignaturePath(checkpoint.size, cosigner.key.keyId);
    const place = path.join(folderAt(args.needed("evidence"), "evidence"), ...name.split("/"));
    if (existsSync(place)) {
      const text = `${name} is there already: this witness cosigned the log at ${checkpoint.size} entries before.`;
      terminal.answer({ cosignature: name, origin: checkpoint.origin, size: checkpoint.size, isNew: false }, text);
      return 0;
    }
    writeWhole(place, submitted.cosignature);
    const text = `${name}: ${checkpoint.origin} at ${checkpoint.size} entries, ${sinceText(submitted)}.`;
    terminal.answer({ cosignature: name, origin: checkpoint.origin, size: checkpoint.size, isNew: true }, text);
    return 0;
  },
};

function sinceText({ seenBefore }: SubmittedCheckpoint): string {
  return seenBefore === undefined
    ? "which this witness saw for the first time"
    : `which begins with all ${seenBefore} that this witness saw before`;
}

const REFUSALS = {
  "unknown-log": { code: "WRONG_KEY", verdict: "wrong-key" },
  "not-signed": { code: "WRONG_KEY", verdict: "wrong-key" },
  "bad-signature": { code: "BAD_SIGNATURE", verdict: "bad-signature" },
  "went-back": { code: "LOG_WENT_BACK", verdict: "stale" },
  forked: { code: "LOG_FORKED", verdict: "forked" },
  other: { code: "WITNESS_REFUSED", verdict: "incomplete" },
} as const;

function refusalOf({ refusal = "other", reason = "" }: SubmittedCheckpoint): EvidenceToolError {
  const { code, verdict } = REFUSALS[refusal];
  return new EvidenceToolError(code, `The witness does not cosign: ${reason}`, verdict);
}

const PORT_MAX = 65_535;

export const serveWitness: Command = {
  summary: "Serve other logs and clients as a witness, until stopped",
  details: `POST /add-checkpoint and GET /<SHA-256 of the origin>/checkpoint, as C2SP tlog-witness has them.`,
  options: {
    port: { kind: "one", value: "N", required: true, about: "Port; 0 takes a free one." },
    host: { kind: "one", value: "HOST", about: "Address to listen on. Default: 127.0.0.1." },
    key: OPTIONS.witnessKey,
    "log-key": OPTIONS.logKey,
    state: OPTIONS.state,
  },
  run: async (args, terminal) => {
    args.noOperand();
    const port = args.number("port", 0, PORT_MAX);
    if (port === undefined) throw new UsageError("--port is missing.");
    const host = args.one("host") ?? "127.0.0.1";
    const cosigner = cosignerOf(fileAt(args.needed("key"), "--key").toString("utf8"));
    const settings = { cosigner, logKeys: pinnedLogs(args), state: fileState(args.needed("state")) };
    const server = witnessServer({ ...settings, now: Date.now, tell: terminal.tell });
    const address = await listening(server.listen(host, port), host, port);
    const url = `http://${host}:${address}`;
    terminal.answer({ vkey: cosigner.key.vkey, url }, `${cosigner.key.vkey}\n${url}`);
    await terminal.stopped?.();
    await server.close();
    return 0;
  },
};

async function listening(starting: Promise<number>, host: string, port: number): Promise<number> {
  try {
    return await starting;
  } catch (error) {
    if (!["EADDRINUSE", "EACCES", "EADDRNOTAVAIL"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    const message = `Port ${port} of ${host} cannot be had: another program holds it, or it is not yours. Name another with --port.`;
    throw new EvidenceToolError("PORT_TAKEN", message);
  }
}
