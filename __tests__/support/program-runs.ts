/**
 * Every command of `payledger` on an embedded AWS that is up: with the words of the documents where one has them, with --json,
 * inside the test. The order is that of a day: pay, read, audit, verify, back up, restore.
 */

import { copyFileSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "./project-files";

export interface Run {
  /** Behind `npx payledger`. */
  readonly words: string;
  /** One of these. */
  readonly codes: readonly number[];
  /** `process`: its answer comes from a process that it starts. `server`: it ends at a signal. */
  readonly how?: "process" | "server";
  /** At the emulator itself: the command makes tables that are nobody's. */
  readonly isInside?: true;
  /** Makes what the command reads. */
  readonly before?: (folder: string) => void;
}

/** The answer is no, or something is left to do. */
const NO = 1;
/** The verdict about the row that the README's tampering changed. */
const ALTERED = 10;

const ends = (code: number | readonly number[], words: string, more: Partial<Run> = {}): Run => ({
  words,
  codes: [code].flat(),
  ...more,
});
const done = (words: string, more: Partial<Run> = {}): Run => ends(0, words, more);

const VERIFY = "--evidence evidence --export tables --key log.vkey";
const PINNED = `${VERIFY} --last-checkpoint checkpoint`;
const EXPORTS = "payment-exports-dev-111122223333/exports";

const pinned = (folder: string) => copyFileSync(join(folder, "evidence", "checkpoint"), join(folder, "checkpoint"));
const anEvent = (folder: string) => {
  const event = { TransactionID: "pay-1001", Actor: "order-service", Action: "READ", query_result: "success" };
  writeFileSync(join(folder, "event.json"), JSON.stringify(event));
};
const aPaymentFile = (folder: string) => {
  mkdirSync(join(folder, "partner"));
  writeFileSync(join(folder, "partner", "a.csv"), "transactionId,amount,currency,cardLast4\nfile-1,10.50,EUR,4242\n");
};
const anOldRow = (folder: string) => {
  const row = { TransactionID: "old-walk", SecureToken: "tok_old_77x", Amount: "10.50", ProcessorID: "acme" };
  writeFileSync(
    join(folder, "old.ndjson"),
    JSON.stringify({ ...row, Status: "Success", Timestamp: "2023-03-01T10:00:00Z" }),
  );
};
const theProof = (folder: string) =>
  cpSync(join(PROJECT, "samples", "proof"), join(folder, "proof"), { recursive: true });

export const RUNS: readonly Run[] = [
  done("status"),
  done("doctor"),
  done("env --as payment-service"),
  done("env --as auditor"),
  ends(2, "up"),
  done("outputs"),
  done("completion bash"),
  done("cost --single=1000000 --connectivity=nat", { how: "process" }),

  done("pay pay-1001 --amount 10.50 --currency EUR --token tok_5f2c9a77 --actor checkout"),
  ends(NO, "pay pay-1001 --amount 11.00 --currency EUR --token tok_5f2c9a77 --actor checkout"),
  done("read pay-1001 --actor support:maria"),
  ends(NO, "read pay-none"),
  done('reveal pay-1001 --reason "refund 4711" --actor refunds'),
  done('status-change pay-1001 --from Success --to Failure --reason "charged back" --actor refunds'),
  done("trail pay-1001"),
  done("trail --last 1h --as auditor"),
  done("show pay-1001"),
  done("send queue pay-0001 --amount 10.50 --currency EUR"),
  done("send fifo event.json --group pay-1001 --id crm-000342", { before: anEvent }),
  done("send file partner/a.csv --wait-seconds 60", { before: aPaymentFile }),
  done("import calls old.ndjson --from Payments2023 --set Currency=EUR --actor migration", { before: anOldRow }),
  done("logs persist_payment_ledger --last 1h"),
  done("cases partner", { isInside: true }),

  done("key --out log.vkey"),
  done("kit --to kit --key log.vkey"),
  done("scan --to tables"),
  ends(ALTERED, "audit --wait-seconds 0"),
  done("fetch --to evidence"),
  ends(ALTERED, `verify ${PINNED}`, { before: pinned }),
  ends(NO, `verify ${PINNED} --work pieces --pieces 1`),
  done("verify-piece --evidence evidence --export tables --work pieces --piece 1"),
  ends(NO, `verify ${PINNED} --work pieces`),
  done("verify-piece --evidence evidence --export tables --work pieces --piece 1"),
  // Whether a third round is needed depends on what the streams have sealed meanwhile.
  ends([NO, ALTERED], `verify ${PINNED} --work pieces`),
  done("verify-piece --evidence evidence --export tables --work pieces --piece 1"),
  ends(ALTERED, `verify ${PINNED} --work pieces`),
  ends(ALTERED, `report --out report.html ${PINNED}`),
  done("keys --evidence evidence"),
  done(`prove pay-1001 ${VERIFY}`),
  done("verify-proof proof/payment.tlog-proof --record proof/payment.record --key proof/log.vkey", {
    before: theProof,
  }),
  done("consistency --from checkpoint --evidence evidence --key log.vkey"),
  ends(ALTERED, `history txn-0001 ${PINNED}`),
  done("witness new-key --name auditor.example/witness --out witness.pem"),
  done("witness cosign --evidence evidence --key witness.pem --log-key log.vkey --state witness.json"),
  done("witness serve --port 0 --key witness.pem --log-key log.vkey --state witness.json", { how: "server" }),
  ends(ALTERED, `verify ${VERIFY} --witness witness.vkey`),

  done("export"),
  done(`backup check s3://${EXPORTS}/PaymentLedger --table PaymentLedger-dev`),
  done("backup now"),
  done("backup list --table PaymentLedger-dev"),
  done("backup restore --table PaymentLedger-dev --into scratch-drill"),
  done("backup remove-scratch scratch-drill"),
  done("backup restore --table PaymentLedger-dev --to-time 2026-11-20T12:00:00Z --into scratch-drill"),
  done("backup remove-scratch scratch-drill"),
  done("backup restore --table PaymentLedger-dev --backup arn:aws:dynamodb:... --into scratch-drill"),
  done("backup remove-scratch scratch-drill"),
  done(`backup restore --table PaymentLedger-dev --export s3://${EXPORTS}/PaymentLedger --into scratch-drill`),
  done("backup remove-scratch scratch-drill"),
  done("restore --table PaymentLedger-dev --into scratch-drill"),
  ends(ALTERED, "drill --poll-seconds 0.2"),
  ends(ALTERED, 'drill --here --key "$(cat log.vkey)" --poll-seconds 0.2'),
  done("redrive payment-audit-trail-dev.fifo --dry-run"),
  // What failed may hold a token, and the configuration of dev names nobody who may read it.
  ends(2, "redrive payment-ledger-failures-dev --max 100"),
  done("tamper pay-1001 --amount 0.01 --without-policy"),
];

/** Commands that this walk leaves out, and where they are run. */
export const RUN_ELSEWHERE: Readonly<Record<string, string>> = {
  demo: "takes a minute; `__tests__/local/main-job.test.ts` runs it",
  permissions: "takes minutes and starts another embedded AWS; `npm run permissions`",
  down: "the end of everything; `__tests__/readme.test.ts` runs it last, with `--json` too",
};
