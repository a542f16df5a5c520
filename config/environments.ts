/** The environments, one literal each. A copy of one under a new name and suffix makes another environment. */

import type { AppConfig } from "./types";

const shared = {
  region: "us-east-1",
  expectedAccountId: null,
  vpcCidr: "10.0.0.0/16",
  privateSubnetCidrs: ["10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"],
  availabilityZones: ["a", "b", "c"],
  connectivity: "privatelink",
  pitrRecoveryDays: 35,
  backend: { kind: "local" },
  indexShardCount: 8,
  fieldEncryption: "cached",
  failureQueueReaderArns: [],
  extraTags: {},
} as const;

/** Can be destroyed to nothing; reserves no concurrency, because a new account has little. */
const dev = {
  ...shared,
  environment: "dev",
  suffix: "dev",
  logRetentionDays: 365,
  protections: { deletionProtection: false, kmsDeletionWindowDays: 7, reservedConcurrency: null },
} as const satisfies AppConfig;

/** Keeps its data against every single mistake, and its logs for at least the twelve months of PCI DSS 10.5.1. */
const prod = {
  ...shared,
  environment: "prod",
  suffix: "prod",
  logRetentionDays: 400,
  protections: {
    deletionProtection: true,
    kmsDeletionWindowDays: 30,
    reservedConcurrency: {
      persistPaymentLedger: 100,
      updatePaymentStatus: 20,
      queryPaymentLedger: 20,
      revealPaymentToken: 5,
      persistPaymentAuditTrail: 50,
      queryPaymentAuditTrail: 10,
    },
  },
} as const satisfies AppConfig;

export const ENVIRONMENTS: Readonly<Record<string, AppConfig>> = { dev, prod };
