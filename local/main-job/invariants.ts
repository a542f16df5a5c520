/** What must hold after the job, whatever the input. One broken invariant makes the job fail. */

interface Invariant {
  readonly rule: string;
  readonly remedy: string;
}

/** In the order of the report. */
export const INVARIANTS = {
  LINES_DIFFER: {
    rule: "Every line ends as its generator meant it to.",
    remedy: "Compare the named lines of the input with the rules in ledger/rules/refusals.ts.",
  },
  COUNTS_DIFFER: {
    rule: "Outcomes and refusal codes add up to what the generator counted.",
    remedy: "Make the sample again (tools/samples/make.ts), or find the rule that changed.",
  },
  ROWS_DIFFER: {
    rule: "Every stored payment has exactly one row, and there is no other row.",
    remedy: "Look at ledger/operations/persist-payments.ts and ledger/store/write-once.ts.",
  },
  WRITE_RECORDS_DIFFER: {
    rule: "Every stored payment has exactly one WRITE record.",
    remedy: "A row and its record are one transaction; look at ledger/store/write-once.ts.",
  },
  SUMS_DIFFER: {
    rule: "The stored amounts of each currency add up to the generator's exact sum.",
    remedy: "Look at ledger/rules/money.ts.",
  },
  REFUSALS_UNRECORDED: {
    rule: "Every refused line and every distinct conflict has one audit record.",
    remedy: "Look at refusalEntry and conflictEntry in ledger/operations/.",
  },
  RETRY_WROTE: {
    rule: "Sending payments again stores nothing; refused lines and conflicts leave one more record of the attempt.",
    remedy: "Look at writeAuditId in ledger/operations/persist-payments.ts: it must follow from the payment alone.",
  },
  STATUS_CHANGE_DIFFERS: {
    rule: "A status change makes version 2 once, and its repeat is a duplicate.",
    remedy: "Look at ledger/operations/update-status.ts.",
  },
  EVENTS_DIFFER: {
    rule: "Events of both vocabularies are stored once and read back in both; contradicting ones are refused.",
    remedy: "Look at ledger/operations/persist-audit-events.ts and ledger/rules/audit-event.ts.",
  },
  READS_DIFFER: {
    rule: "Every read returns exactly the payments that were asked for, tokens masked; a reveal returns the token sent.",
    remedy:
      "Look at ledger/operations/query-ledger.ts, ledger/operations/reveal-token.ts and ledger/store/day-index.ts.",
  },
  FILES_DIFFER: {
    rule: "Every dropped payment file starts the processor by itself, and its report tells every row as its generator meant it.",
    remedy:
      "Look at ledger/files/rows.ts and ledger/operations/process-file.ts; at stacks/constructs/feeds.ts where no report came.",
  },
  FILE_KEPT: {
    rule: "A file with card data is removed after its report, and no other file is.",
    remedy: "Look at processFile in ledger/operations/process-file.ts.",
  },
  DIRECT_DIFFERS: {
    rule: "payment_data is answered 200 only when all of it is recorded, 409 for other content, 400 for what is refused.",
    remedy: "Look at ledger/operations/payment-processor.ts.",
  },
  MESSAGES_DIFFER: {
    rule: "Every payment message is recorded once however often it is sent; one that can never be is settled with a record.",
    remedy: "Look at ledger/operations/process-messages.ts.",
  },
  EVENTS_OUT_OF_ORDER: {
    rule: "Events of the FIFO queue are recorded once and in the order of sending; an invalid message leaves its place as a GAP.",
    remedy: "Look at ledger/operations/persist-queued-events.ts and client/audit-events.ts.",
  },
  ARRIVALS_DIFFER: {
    rule: "Every payment of a file or message has one row and one WRITE record, and the amounts add up exactly.",
    remedy: "Look at ledger/operations/record-payments.ts and at the table's book.",
  },
  QUEUE_NOT_EMPTY: {
    rule: "No message is left in any queue: none waits, none is a dead letter, and no invocation failed after its last retry.",
    remedy: "Look into the named queue, then at the log of its function.",
  },
  TRANSACTIONS_DIFFER: {
    rule: "query_transactions returns exactly the records of the payment asked for.",
    remedy: "Look at ledger/operations/query-transactions.ts.",
  },
  READ_UNAUDITED: {
    rule: "Every read has exactly one audit record that lists the returned ids, and every such record has its read.",
    remedy: "Look at ledger/operations/read-audit.ts: a read is recorded before it is answered.",
  },
  PERMISSION_DENIED: {
    rule: "AWS would allow every call that the functions and their users make.",
    remedy:
      "Look at the named statement in stacks/permissions.ts, boundary.ts, key-policies.ts and endpoint-policies.ts.",
  },
  TABLE_POLICY_IGNORED: {
    rule: "While a table has its policy, not even an administrator can change, remove or add a record past the functions.",
    remedy: "Look at guardStatements in stacks/constructs/ledger-table.ts and at local/iam/.",
  },
  FORGERY_ACCEPTED: {
    rule: "A row put past the ledger is refused as RECORD_FORGED on its next read and leaves an ALARM record.",
    remedy: "Look at ledger/rules/record-mac.ts and checkRecords in ledger/operations/read-audit.ts.",
  },
  LOG_NOT_OK: {
    rule: "Every record of the five tables verifies offline against the sealed log, and the log against its key.",
    remedy: "Run the verify command that the report names, then look at evidence/sealing/ and evidence/verifier/.",
  },
  PROOF_FAILS: {
    rule: "One record's proof checks out with the record and the public key alone.",
    remedy: "Look at evidence/verifier/proof.ts and evidence/commands/proofs.ts.",
  },
  TAMPERING_UNNAMED: {
    rule: "The next verification names a changed amount, a removed audit record and an inserted payment.",
    remedy: "Look at evidence/sealing/classify.ts and at the verify command that the report names.",
  },
  CUT_UNNOTICED: {
    rule: "Who kept a checkpoint notices that the end of the log was cut off.",
    remedy: "Look at how evidence/verifier/ compares the log with the last checkpoint.",
  },
  NOT_CIPHERTEXT: {
    rule: "SecureToken, QueryDetails and Response are binary ciphertext in every item.",
    remedy: "Look at ledger/store/payment-record.ts and ledger/store/audit-record.ts.",
  },
  SECRET_AT_REST: {
    rule: "No token, card number or encrypted detail is in plaintext anywhere in the tables.",
    remedy: "Find the attribute that carries it; only ciphertext may.",
  },
  SECRET_IN_BUCKET: {
    rule: "No version of any object in the buckets holds a token, a card number or an encrypted detail in clear.",
    remedy: "Look at what wrote the named object: a report, or an export of a row that must not be.",
  },
  EXPORT_DIFFERS: {
    rule: "The export of all tables passes its check, holds all that was recorded before it, and a changed byte is found.",
    remedy:
      "Look at backup/export-operation.ts, backup/check.ts and, for the files themselves, local/export-stand-in.ts.",
  },
  SECRET_IN_LOG: {
    rule: "Every call leaves its log line, and none says a token, a card number or an encrypted detail.",
    remedy: "Look at the allow-list in handlers/runtime/observe.ts.",
  },
} as const satisfies Record<string, Invariant>;

export type InvariantCode = keyof typeof INVARIANTS;

export interface Violation extends Invariant {
  readonly code: InvariantCode;
  /** What was found, without any secret value. */
  readonly faults: readonly string[];
}

/** Enough to find the mistake; a report of a thousand lines helps nobody. */
const FAULTS_SHOWN_MAX = 5;

export class Invariants {
  private readonly checked = new Map<InvariantCode, { extent: string; faults: readonly string[] }>();

  /** @param extent how much was looked at, for the report; @param faults what is wrong; none when the invariant holds. */
  record(code: InvariantCode, extent: string, faults: readonly string[]): void {
    this.checked.set(code, { extent, faults });
  }

  holding(): { readonly rule: string; readonly extent: string }[] {
    const codes = CODES.filter((code) => this.checked.get(code)?.faults.length === 0);
    return codes.map((code) => ({ rule: INVARIANTS[code].rule, extent: this.checked.get(code)?.extent ?? "" }));
  }

  /** One that was not checked counts as broken: nothing is called sound that nobody looked at. */
  broken(): Violation[] {
    return CODES.flatMap((code) => {
      const faults = this.checked.get(code)?.faults ?? ["it was not checked"];
      return faults.length === 0 ? [] : [{ code, faults: shortened(faults), ...INVARIANTS[code] }];
    });
  }
}

const CODES = Object.keys(INVARIANTS) as InvariantCode[];

function shortened(faults: readonly string[]): readonly string[] {
  const rest = faults.length - FAULTS_SHOWN_MAX;
  return rest > 0 ? [...faults.slice(0, FAULTS_SHOWN_MAX), `and ${rest} more`] : faults;
}
