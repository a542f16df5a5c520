/** One record: compares what the source holds under its key with what the log says must be there. Pure. */

import type { LogicalTableName } from "../../contract";
import { type CurrentItem, type CurrentVersions, keyParts } from "./current-items";
import { type History, type Leaf, possibleStates, type RecordState, versionNumber } from "./history";
import type { Finding } from "./report";

export interface JudgedRecord {
  readonly table: LogicalTableName;
  readonly keyText: string;
  /** All entries about it, in the log's order. */
  readonly leaves: readonly Leaf[];
  readonly history: History;
  /** Absent where the source tells nothing about it. */
  readonly current?: CurrentVersions;
}

export interface Rules {
  /** Entries before this one had to be in the source. */
  readonly cut: number;
  /** Whether a record of this time may be too young to be sealed. */
  readonly maySettle: (recordedAt: string) => boolean;
}

export interface RecordJudgement {
  readonly findings: readonly Finding[];
  readonly settling: number;
}

export function judgeRecord(record: JudgedRecord, { cut, maySettle }: Rules): RecordJudgement {
  const { current, history } = record;
  const states = possibleStates(history, cut);
  const findings: Finding[] = [];
  let settling = 0;
  const items = distinct(current?.items ?? []);
  for (const item of items) {
    const finding = judgeItem(item, record, states);
    if (finding?.recordedAt !== undefined && finding.verdict === "unsealed" && maySettle(finding.recordedAt))
      settling += 1;
    else if (finding !== undefined) findings.push(finding);
  }
  const [demanded] = states;
  if (items.length === 0 && states.every(({ commitment }) => commitment !== "")) {
    findings.push(missing(record, demanded?.leaf));
  }
  return { findings: [...findings, ...sourceFaults(record)], settling };
}

function distinct(items: readonly CurrentItem[]): CurrentItem[] {
  return [...new Map(items.map((item) => [item.commitment, item])).values()];
}

function judgeItem(item: CurrentItem, record: JudgedRecord, states: readonly RecordState[]): Finding | undefined {
  const { leaves } = record;
  const place = placeOf(record, item.version);
  const state = states.find(({ commitment }) => commitment === item.commitment);
  if (state?.leaf !== undefined) return wrongVersion(state.leaf, item, record);
  const earlier = leaves.find(({ commitment }) => commitment === item.commitment);
  const last = states.at(-1);
  if (earlier !== undefined) {
    const message = `The record is as entry ${earlier.index} sealed it, but entry ${states[0]?.leaf?.index ?? last?.from} replaced that version.`;
    return { verdict: "altered", code: "ROLLED_BACK", ...place, leaf: earlier.index, message };
  }
  const stood = states.findLast(({ commitment }) => commitment !== "")?.leaf;
  if (stood !== undefined && versionNumber(item.version) <= versionNumber(stood.version)) {
    const message = `It is not what entry ${stood.index} sealed.`;
    return { verdict: "altered", code: "RECORD_ALTERED", ...place, leaf: stood.index, message };
  }
  return unsealed(item, record, last?.commitment ?? "");
}

/** The commitment covers the version too, so an entry with another one contradicts itself. */
function wrongVersion(leaf: Leaf, { version }: CurrentItem, record: JudgedRecord): Finding | undefined {
  if (leaf.version === version || (leaf.kind !== "RECORD" && leaf.kind !== "LATE")) return undefined;
  const message = `Entry ${leaf.index} calls it version ${leaf.version}.`;
  return { verdict: "altered", code: "WRONG_VERSION", ...placeOf(record, version), leaf: leaf.index, message };
}

function unsealed({ version, item, writtenAt }: CurrentItem, record: JudgedRecord, lastCommitment: string): Finding {
  return {
    verdict: "unsealed",
    code: "RECORD_UNSEALED",
    ...placeOf(record, version),
    message: lastCommitment === "" ? "The log has no entry of it." : "The log has only earlier versions of it.",
    lastCommitment,
    ...(item === undefined ? {} : { item }),
    ...(writtenAt === undefined ? {} : { recordedAt: writtenAt }),
  };
}

function missing(record: JudgedRecord, leaf: Leaf | undefined): Finding {
  const message = `Entry ${leaf?.index} sealed it, and the source does not have it.`;
  return {
    verdict: "missing",
    code: "RECORD_MISSING",
    ...placeOf(record, leaf?.version ?? ""),
    ...(leaf === undefined ? {} : { leaf: leaf.index }),
    message,
  };
}

function sourceFaults(record: JudgedRecord): Finding[] {
  const { current } = record;
  if (current === undefined) return [];
  const version = current.items.at(-1)?.version ?? "";
  const findings: Finding[] = [];
  if (current.items.length > 1) {
    const message = `The source holds ${current.items.length} records under its key.`;
    findings.push({ verdict: "repeated", code: "REPEATED_RECORD", ...placeOf(record, version), message });
  }
  if (current.contradictions > 0) {
    const message = "An incremental export states another earlier item under this key than the exports before it hold.";
    findings.push({ verdict: "altered", code: "SOURCE_CONTRADICTS", ...placeOf(record, version), message });
  }
  return findings;
}

function placeOf({ table, keyText, leaves }: JudgedRecord, version: string) {
  const sealedAs = (leaves.find(({ kind }) => kind === "RECORD" || kind === "LATE") ?? leaves.at(-1))?.kind;
  return {
    table,
    key: keyParts(table, keyText),
    ...(version === "" ? {} : { version }),
    ...(sealedAs === undefined ? {} : { sealedAs }),
  };
}
