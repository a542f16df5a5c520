import { boundedNames, bucketNamesOf, namesOf, stateName } from "../../../stacks/config/names";

test("prod has the documents' names: the ledger's bare, payment processing's with the suffix", () => {
  const names = namesOf({ suffix: "prod" });
  expect(names.tables).toEqual({
    paymentLedger: "PaymentLedger",
    paymentAuditTrail: "PaymentAuditTrail",
    paymentMessages: "payment-audit-trail",
    paymentTransactions: "payment-transactions-prod",
    paymentEvents: "PaymentEvents",
  });
  expect(names.roles.ledger).toBe("paymentledger-role");
  expect(names.roles.processor).toBe("payment-lambda-role-prod");
  expect(names.queues).toEqual({ auditEvents: "payment-audit-trail.fifo", paymentMessages: "audit-trail-queue" });
  expect(names.trail).toBe("payment-trail-prod");
  expect(names.functions).toMatchObject({
    persistPaymentLedger: "persist_payment_ledger",
    persistPaymentAuditTrail: "persist_payment_audit_trail",
    paymentProcessor: "payment-processor-prod",
  });
  expect(names.keyAliases.data).toBe("alias/payment-processing-prod");
  expect(names.vpc).toBe("payment-vpc-prod");
  expect(bucketNamesOf({ suffix: "prod" }, "111122223333")).toEqual({
    files: "payment-files-prod-111122223333",
    exports: "payment-exports-prod-111122223333",
    trail: "payment-cloudtrail-prod-111122223333",
    evidence: "payment-evidence-prod-111122223333",
  });
  expect(names.logStateTable).toBe("payment-log-state");
});

test("each generation of checkpoint keys has its own alias", () => {
  const checkpointKeys = { signing: ["2", "3"], retired: ["1"] };
  expect(namesOf({ suffix: "dev", checkpointKeys }).checkpointKeyAliases).toEqual({
    "1": "alias/payment-checkpoint-1-dev",
    "2": "alias/payment-checkpoint-2-dev",
    "3": "alias/payment-checkpoint-3-dev",
  });
});

test("every other environment has its suffix everywhere", () => {
  const { functionLogGroups, ...names } = namesOf({ suffix: "dev" });
  const all = Object.values(names).flatMap((name) => (typeof name === "string" ? [name] : Object.values(name)));
  for (const name of [...all, ...Object.values(functionLogGroups)]) {
    expect(name).toMatch(/-dev(\/flow-logs|\.fifo)?$/);
  }
});

test("two suffixes share no name", () => {
  const flat = (suffix: string) =>
    Object.values(namesOf({ suffix })).flatMap((name) => (typeof name === "string" ? [name] : Object.values(name)));
  const taken = new Set([...flat("dev"), ...flat("prod")]);
  expect(flat("alice").filter((name) => taken.has(name))).toEqual([]);
  expect(taken.size).toBe(new Set(flat("dev")).size + new Set(flat("prod")).size);
});

test("the shipped suffixes keep every service's limit", () => {
  for (const suffix of ["dev", "prod", "prod-eu-central-1"]) {
    expect(boundedNames({ suffix }).filter(({ name, limit }) => name.length > limit)).toEqual([]);
  }
});

test("each environment has its own state, and so has each suffix that is not the environment's default", () => {
  expect(stateName({ environment: "prod", suffix: "prod" })).toBe("prod");
  expect(stateName({ environment: "dev", suffix: "alice" })).toBe("dev-alice");
});
