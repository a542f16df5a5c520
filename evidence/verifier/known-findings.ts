/**
 * Findings that were settled: a file names each by its entry's number, the entry's hash and the finding's code, and says why.
 * Only what the log itself states permanently can be acknowledged. An entry never changes, so a line cannot come to cover
 * anything but what its author looked at.
 */

import { CodedError, type LogicalTableName, TABLES } from "../../contract";
import { pairIdOf } from "./pairs";
import { FINDING_CODES, type Finding, type FindingCode } from "./report";

export class KnownFindingsError extends CodedError<"BAD_KNOWN_FINDINGS"> {
  override readonly name = "KnownFindingsError";

  constructor(message: string) {
    super("BAD_KNOWN_FINDINGS", message);
  }
}

/** One line of the file, in JSON. */
export interface KnownFinding {
  readonly leaf: number;
  /** RFC 6962 hash of the entry, in base64. */
  readonly leafHash: string;
  readonly code: FindingCode;
  readonly reason: string;
}

const REASON_CHARACTERS_MAX = 1000;
const MEMBERS = "code,leaf,leafHash,reason";
const HASH = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

/** Codes of findings that follow from the log's entries alone. */
const ACKNOWLEDGEABLE: ReadonlySet<string> = new Set<FindingCode>([
  "RECORD_REMOVED",
  "RECORD_CHANGED",
  "RECORD_FORGED",
  "VERSION_UNSEALED",
  "WRONG_VERSION",
  "REPEATED_ENTRY",
  "CONTRADICTING_ENTRIES",
  "OUT_OF_ORDER",
  "SEQUENCE_BACK",
  "HEARTBEAT_WRONG",
  "BAD_ENTRY",
]);

/** @throws KnownFindingsError for a line that is no known finding, or that says again what another one says. */
export function parseKnownFindings(text: string): KnownFinding[] {
  const known = text.split("\n").flatMap((line, at) => (line.trim() === "" ? [] : [parseLine(line, at + 1)]));
  if (new Set(known.map(nameOf)).size < known.length) {
    throw new KnownFindingsError("Two lines of the known findings name the same finding. Remove one of them.");
  }
  return known;
}

function parseLine(line: string, number: number): KnownFinding {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  const members = (typeof value === "object" && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  const { leaf, leafHash, reason } = members;
  const code = FINDING_CODES.find((each) => each === members["code"]);
  const isReason = typeof reason === "string" && reason.trim() !== "" && reason.length <= REASON_CHARACTERS_MAX;
  if (
    Object.keys(members).sort().join() !== MEMBERS ||
    typeof leaf !== "number" ||
    !Number.isSafeInteger(leaf) ||
    leaf < 0 ||
    typeof leafHash !== "string" ||
    !HASH.test(leafHash) ||
    code === undefined ||
    !isReason
  ) {
    throw new KnownFindingsError(
      `Line ${number} of the known findings is not {"leaf": number, "leafHash": "base64", "code": "RECORD_REMOVED", "reason": "text"}. ` +
        "Take leaf, leafHash and code from a report in JSON.",
    );
  }
  if (!ACKNOWLEDGEABLE.has(code)) {
    throw new KnownFindingsError(
      `Line ${number} of the known findings names ${code}, which follows from the present content of a table or of the evidence. ` +
        "Only what an entry of the log states permanently can be acknowledged.",
    );
  }
  return { leaf, leafHash, code, reason };
}

function nameOf({ leaf, leafHash, code }: Pick<KnownFinding, "leaf" | "leafHash" | "code">): string {
  return `${leaf} ${leafHash} ${code}`;
}

export class KnownFindings {
  private readonly reasons: ReadonlyMap<string, string>;
  private readonly unmatched: Map<string, KnownFinding>;
  /** Ids of pairs whose missing half an acknowledged entry says was removed, or whose only half one calls forged. */
  private readonly halves = new Map<string, string>();

  constructor(known: readonly KnownFinding[]) {
    this.reasons = new Map(known.map((each) => [nameOf(each), each.reason]));
    this.unmatched = new Map(known.map((each) => [nameOf(each), each]));
  }

  /** Why the finding is settled; undefined for a new one. */
  reasonFor(finding: Finding): string | undefined {
    const { leaf, leafHash, code } = finding;
    if (leaf === undefined || leafHash === undefined) return this.reasonForHalf(finding);
    const name = nameOf({ leaf, leafHash, code });
    const reason = this.reasons.get(name);
    if (reason === undefined) return undefined;
    this.unmatched.delete(name);
    this.noteHalf(finding, reason);
    return reason;
  }

  /** Known findings that this log does not have. */
  get withoutMatch(): readonly KnownFinding[] {
    return [...this.unmatched.values()];
  }

  private noteHalf({ code, table, key }: Finding, reason: string): void {
    if (code !== "RECORD_REMOVED" && code !== "RECORD_FORGED") return;
    const id = pairIdOf(tableNamed(table), key?.join("\n") ?? "");
    if (id !== undefined) this.halves.set(halfName(code, table ?? "", id), reason);
  }

  /** A row without its WRITE record, or the other way round, follows from a removal or a forgery that is acknowledged. */
  private reasonForHalf({ code, table, key }: Finding): string | undefined {
    if (code !== "WRITE_RECORD_MISSING" && code !== "ROW_MISSING") return undefined;
    const id = pairIdOf(tableNamed(table), key?.join("\n") ?? "");
    if (id === undefined) return undefined;
    const missingFrom = table === TRAIL ? ROW_TABLES : [TRAIL];
    const names = [
      halfName("RECORD_FORGED", table ?? "", id),
      ...missingFrom.map((each) => halfName("RECORD_REMOVED", each, id)),
    ];
    return names.map((name) => this.halves.get(name)).find((reason) => reason !== undefined);
  }
}

const TRAIL = TABLES.paymentAuditTrail.logicalName;
const TABLE_NAMES: readonly LogicalTableName[] = Object.values(TABLES).map(({ logicalName }) => logicalName);
const ROW_TABLES = TABLE_NAMES.filter((name) => name !== TRAIL);

function tableNamed(name: string | undefined): LogicalTableName {
  return TABLE_NAMES.find((each) => each === name) ?? TRAIL;
}

function halfName(code: FindingCode, table: string, id: string): string {
  return `${code} ${table} ${id}`;
}
