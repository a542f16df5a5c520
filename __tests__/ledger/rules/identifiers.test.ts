/** Derived ids are stored data: their vectors below were computed by other code (Python's hashlib) and must never change. */

import fc from "fast-check";
import {
  ACTOR_LENGTH_MAX,
  derivedAuditId,
  freshAuditId,
  ID_PLACEHOLDERS,
  IDENTIFIER_PATTERN,
  isReservedAuditId,
  NEW_IDENTIFIER_PATTERN,
  pointerAuditId,
} from "../../../ledger/rules/identifiers";

test.each([
  [["WRITE", "PaymentLedger", "txn-1"], "W~QiSDVgW5JDRdopupPRMPuFR0TqfiJDY1"],
  [["UPDATE", "PaymentLedger", "txn-1", "2"], "U~bGGYY9GoY5R7cKc4lAC9HhPlULfj8Lxk"],
  [["CONFLICT", "PaymentLedger", "txn-1", "1.ref.mac"], "C~aj3w5ttn_adKN2-PDBU3Y9Wv8zcP7EBD"],
  [["REFUSAL", "persist_payment_ledger", "req-1", "0"], "X~6s8mQyf3__kXZwHepe8zaI3Owl42jKWQ"],
  [["ALARM", "RECORD_FORGED", "PaymentLedger", "txn-1", ""], "A~antV3Gt_oR5nDh9YcrVZdknUt_-0eD7R"],
  [["EVENT", "persist_payment_audit_trail", "req-1", "0"], "E~9FqXu_vs1m8sqh5dpXF48IeB5528jKLd"],
  [["GAP", "payment-audit-trail-dev.fifo", "txn-1", "18870000000000000256"], "G~QNd-svIwndOiCLMjQ8Y4D7HGPHRqq08R"],
  [["EVENT", "payment-audit-trail-dev.fifo", "msg-1"], "E~YE69wwbji7aFJ7ky49BtMqvGgSTCk2m_"],
  [["REFUSAL", "audit-trail-queue-dev", "msg-1"], "X~e7FEabmMTPypd_2UowYat9cP-c9Shee5"],
  [["REFUSAL", "payment-file", "payments/a.csv", "v1", "17"], "X~PfPgVvfZvJtAuuRs-Fu9hTBBr4F_cXRi"],
  [["WRITE", "payment-transactions", "txn-1"], "W~z2upHkqh9xWMkwd7VS_Tyu64_GKC360f"],
  [["WRITE", "payment-audit-trail", "pay-1"], "W~6bBJncWbMH954ZeGv4dLK-TUPtdDMyoo"],
  [["CONFLICT", "payment-transactions", "txn-1", "1.ref.mac"], "C~9JIV1ZL209L-lS53FLieuS3vQKQR3Vsw"],
  [["DUPLICATE", "PaymentLedger", "txn-1", "req-1", "alice"], "D~MYT3_-ezL1nNbewccTuUKF32BdJgbAox"],
  [["CONFLICT", "C~aj3w5ttn_adKN2-PDBU3Y9Wv8zcP7EBD", "req-1", "alice"], "C~dWkhHoH9u0skG4tpqAY8psuBMnQjGqxs"],
  [["ALARM", "A~antV3Gt_oR5nDh9YcrVZdknUt_-0eD7R", "req-1", "alice"], "A~W3opELjSeVj5F89aRDariUA1f9jBQzvt"],
  [["EVENT", "own-id", "principal/AROAEXAMPLE", "crm-1"], "E~TU9yB81g08_rrNpum69Zg5hx_PSyWRFp"],
  [["READ", "check_backup", "req-1", "PaymentLedger"], "R~wsCEdn_kN_ypBqNHFNtGVEH1kINDE3k7"],
] as const)("golden: %j", ([kind, ...parts], auditId) => {
  expect(derivedAuditId(kind, ...parts)).toBe(auditId);
});

test("parts are separate: text that moves from one part to the next makes another id", () => {
  const ids = [
    derivedAuditId("WRITE", "ab", "c"),
    derivedAuditId("WRITE", "a", "bc"),
    derivedAuditId("WRITE", "abc"),
    derivedAuditId("WRITE", "abc", ""),
    derivedAuditId("UPDATE", "abc"),
  ];
  expect(new Set(ids).size).toBe(ids.length);
});

test("a fresh id is made of the random bytes that it is given", () => {
  expect(freshAuditId("READ", new Uint8Array(24))).toBe(`R~${"A".repeat(32)}`);
  expect(freshAuditId("READ", new Uint8Array(24).fill(255))).toBe(`R~${"_".repeat(32)}`);
});

test("pointers of one page have separate ids, in the order of the page", () => {
  const ids = Array.from({ length: 90 }, (_, index) => pointerAuditId("R~abc", index));
  expect(ids[0]).toBe("R~abc.00");
  expect(ids[89]).toBe("R~abc.89");
  expect(ids.toSorted()).toEqual(ids);
});

test("property: no id that a caller may send is one of the ledger's own", () => {
  fc.assert(
    fc.property(fc.stringMatching(IDENTIFIER_PATTERN), (id) => {
      expect(isReservedAuditId(id)).toBe(false);
    }),
  );
  for (const kind of [
    "WRITE",
    "UPDATE",
    "DUPLICATE",
    "CONFLICT",
    "REFUSAL",
    "ALARM",
    "EVENT",
    "READ",
    "GAP",
  ] as const) {
    const own = derivedAuditId(kind, "x");
    expect(isReservedAuditId(own)).toBe(true);
    expect(IDENTIFIER_PATTERN.test(own)).toBe(false);
  }
});

test.each(["a", "0", "txn-1", "a.b_c:d/e@f+g=h-i", "arn:aws:iam::111122223333:role/app", "user@example.com"])(
  "%s is an identifier",
  (id) => {
    expect(IDENTIFIER_PATTERN.test(id)).toBe(true);
    expect(id.length).toBeLessThanOrEqual(ACTOR_LENGTH_MAX);
  },
);

test.each([
  "",
  "-a",
  ".a",
  "/a",
  " a",
  "a ",
  "a\n",
  "\na",
  "a#b",
  "a~b",
  "a\u0000",
  "é",
  "a\u200b",
  "a,b",
  "a'b",
  "a%20",
])("%j is refused", (id) => {
  expect(IDENTIFIER_PATTERN.test(id)).toBe(false);
});

describe("ids of what is to be recorded", () => {
  test("are no placeholders, in whatever capitals", () => {
    const inSomeCapitals = fc.constantFrom(...ID_PLACEHOLDERS).chain((word) => fc.mixedCase(fc.constant(word)));
    fc.assert(
      fc.property(inSomeCapitals, (word) => {
        expect(word).toMatch(IDENTIFIER_PATTERN);
        expect(word).not.toMatch(NEW_IDENTIFIER_PATTERN);
        // Only the whole word: it may be part of an id.
        expect(`${word}-1`).toMatch(NEW_IDENTIFIER_PATTERN);
        expect(`a${word}`).toMatch(NEW_IDENTIFIER_PATTERN);
      }),
    );
  });

  test("are no number as floats and spreadsheets write it", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e15, noNaN: true, noDefaultInfinity: true }), fc.nat(9), (number, digits) => {
        for (const text of [number.toExponential(), number.toExponential(digits), number.toExponential().toUpperCase()])
          expect(text).not.toMatch(NEW_IDENTIFIER_PATTERN);
      }),
    );
    for (const text of ["1.23457E15", "1.2e-7", "4E+15"]) expect(text).not.toMatch(NEW_IDENTIFIER_PATTERN);
  });

  test.each([
    "3e8",
    "1e234567",
    "12.5e10",
    "1.5",
    "1.23457E+15-1",
    "nullable",
    "0",
    "Nathan",
    "00000000-0000-0000-0000-000000000001",
  ])("%s is one", (id) => {
    expect(id).toMatch(NEW_IDENTIFIER_PATTERN);
  });

  test("property: apart from these they are what any id is", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(IDENTIFIER_PATTERN)), (text) => {
        const isRefused =
          ID_PLACEHOLDERS.some((word) => word === text.toLowerCase()) || /^\d(\.\d+e[+-]?|e[+-])\d{1,3}$/i.test(text);
        expect(NEW_IDENTIFIER_PATTERN.test(text)).toBe(IDENTIFIER_PATTERN.test(text) && !isRefused);
      }),
    );
  });
});
