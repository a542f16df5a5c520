/** Seals what the streams never reported: each record is read again, and goes into the log as it is now. */

import { TABLES } from "../../contract";
import { toItemJson } from "../../ledger/rules/attribute-value";
import { canonicalJson } from "../../ledger/rules/canonical-json";
import { commitmentOf } from "../../ledger/rules/commitment";
import { hasGoodMac, type MacKey } from "../../ledger/rules/record-mac";
import type { Services } from "../../ledger/store/services";
import type { LogEntry, RecordEntry } from "../log/entry";
import { versionOf } from "../log/identity";
import { appendEntries, type Log } from "../sealing/append";
import { batchesBetween } from "../sealing/committed-batches";
import { currentItem } from "../sealing/current-item";
import { readHead } from "../sealing/log-state-table";
import { parseEntry } from "../verifier/entries";
import type { Finding } from "../verifier/report";

export interface Repair {
  /** Records with a good MAC that are sealed now. */
  readonly late: number;
  /** Records that none of the functions wrote; the log says so now. */
  readonly forged: number;
  /** Not as they were found any more, or reported by their stream meanwhile: the next sweep looks at them again. */
  readonly changed: number;
  /** Found, and not looked at for want of time. */
  readonly left: number;
}

export interface Repairer {
  readonly services: Services;
  readonly log: Log;
  readonly outOfTime: () => boolean;
}

/** Few enough that a run which is ended has sealed most of what it found; many enough for few transactions. */
const CHUNK = 100;

/** @param verifiedSize of the tree that the findings were held against: what was committed behind it is newer than they are. */
export async function sealUnsealed(
  findings: readonly Finding[],
  verifiedSize: number,
  repairer: Repairer,
): Promise<Repair> {
  const counts = { late: 0, forged: 0, changed: 0, left: 0 };
  const unsealed = findings.filter(({ verdict }) => verdict === "unsealed");
  const tail = new LogTail(verifiedSize, new Set(unsealed.map(nameOf)));
  for (let start = 0; start < unsealed.length; start += CHUNK) {
    if (repairer.outOfTime()) return { ...counts, left: unsealed.length - start };
    const chunk = unsealed.slice(start, start + CHUNK);
    const found = await entriesFor(chunk, repairer);
    await tail.follow(repairer.log);
    const entries = found.filter((entry) => tail.kindOf(entry) === undefined);
    if (entries.length > 0) await appendEntries(entries, repairer.log);
    // What an earlier try has sealed counts too: it died before it could report that.
    const kinds = found.map((entry) => tail.kindOf(entry) ?? entry.kind);
    const late = kinds.filter((kind) => kind === "LATE").length;
    const forged = kinds.filter((kind) => kind === "FORGED").length;
    counts.late += late;
    counts.forged += forged;
    counts.changed += chunk.length - late - forged;
  }
  return counts;
}

async function entriesFor(findings: readonly Finding[], { services }: Repairer): Promise<RecordEntry[]> {
  const { record: macKey } = await services.macKeys();
  const entries = await Promise.all(findings.map((finding) => entryFor(finding, macKey, services)));
  return entries.filter((entry) => entry !== undefined);
}

/** Undefined for a record that is not as it was found: its change is so new that its stream may still report it. */
async function entryFor(finding: Finding, macKey: MacKey, services: Services): Promise<RecordEntry | undefined> {
  const { key, item, lastCommitment = "" } = finding;
  const table = Object.values(TABLES).find(({ logicalName }) => logicalName === finding.table)?.logicalName;
  if (table === undefined || key === undefined || item === undefined) return undefined;
  const stored = await currentItem(table, key, services);
  if (stored === undefined) return undefined;
  const image = toItemJson(stored);
  const commitment = commitmentOf(table, image);
  if (commitment !== commitmentOf(table, item)) return undefined;
  const kind = hasGoodMac(table, stored, macKey) ? "LATE" : "FORGED";
  return { kind, table, key, version: versionOf(image), sequence: "", commitment, previous: lastCommitment };
}

interface RecordName {
  readonly table?: string;
  readonly key?: readonly string[];
}

function nameOf({ table, key }: RecordName): string {
  return canonicalJson([table ?? "", ...(key ?? [])]);
}

/** As what the log has sealed some records since it was verified. */
class LogTail {
  readonly #sealed = new Map<string, RecordEntry["kind"]>();

  constructor(
    private size: number,
    private readonly wanted: ReadonlySet<string>,
  ) {}

  async follow({ table }: Log): Promise<void> {
    const { frontier } = await readHead(table);
    if (frontier.size <= this.size) return;
    for await (const { entries } of batchesBetween(table, this.size, frontier.size)) {
      for (const bytes of entries) this.#note(parseEntry(bytes));
    }
    this.size = frontier.size;
  }

  /** Undefined for a record that has no entry there. */
  kindOf(entry: RecordEntry): RecordEntry["kind"] | undefined {
    return this.#sealed.get(nameOf(entry));
  }

  #note(entry: LogEntry): void {
    if (entry.kind === "HEARTBEAT") return;
    const name = nameOf(entry);
    if (this.wanted.has(name)) this.#sealed.set(name, entry.kind);
  }
}
