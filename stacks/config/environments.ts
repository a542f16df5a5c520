/** The environments, one literal each. A copy of one under a new name and suffix makes another environment. */

import type { AppConfig } from "./types";

const shared = {
  region: "us-east-1",
  expectedAccountId: null,
  vpcCidr: "10.0.0.0/16",
  privateSubnetCidrs: ["10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"],
  availabilityZones: ["a", "b", "c"],
  connectivity: "privatelink",
  publicSubnetCidr: "10.0.11.0/24",
  privateApi: { state: "off", callerCidrs: [], requestsPerSecond: 200, burst: 400 },
  actors: "claimed",
  actorsOfCallers: {},
  pitrRecoveryDays: 35,
  schedules: {
    incrementalExport: "cron(15 1 * * ? *)",
    fullExport: "cron(15 2 ? * SUN *)",
    backupCheck: "cron(15 6 * * ? *)",
    logSweep: "cron(45 4 * * ? *)",
    restoreDrill: "cron(45 * * * ? *)",
    identityCheck: "cron(30 5 * * ? *)",
  },
  backend: { kind: "local" },
  indexShardCount: 8,
  fieldEncryption: "cached",
  failureQueueReaderArns: [],
  eventSenderArns: [],
  paymentSenderArns: [],
  checkpointKeySpec: "ECC_NIST_EDWARDS25519",
  checkpointKeys: { signing: ["1"], retired: [] },
  witnessArns: [],
  evidenceReaderArns: [],
  drillEveryDays: 3,
  checkPieces: 1,
  removeCardDataFiles: true,
  extraTags: {},
} as const;

/** Can be destroyed to nothing; reserves no concurrency, because a new account has little. */
const dev = {
  ...shared,
  environment: "dev",
  suffix: "dev",
  logRetentionDays: 365,
  retention: {
    trailDays: 90,
    exportDays: 35,
    reportDays: 90,
    continuationDays: 30,
    oldVersionDays: 7,
    oldFileVersionArchive: null,
  },
  backups: {
    daily: { schedule: "cron(0 3 * * ? *)", retentionDays: 7 },
    weekly: { schedule: "cron(0 4 ? * SUN *)", retentionDays: 35 },
  },
  queueConcurrency: { auditEvents: 5, paymentMessages: 5 },
  protections: {
    deletionProtection: false,
    kmsDeletionWindowDays: 7,
    reservedConcurrency: null,
    emptyOnDestroy: true,
    trailLock: { mode: "GOVERNANCE", days: 1 },
    evidenceLock: { mode: "GOVERNANCE", days: 1 },
    vaultLock: null,
  },
} as const satisfies AppConfig;

/** Keeps its data against every single mistake, and its logs for at least the twelve months of PCI DSS 10.5.1. */
const prod = {
  ...shared,
  environment: "prod",
  suffix: "prod",
  logRetentionDays: 400,
  retention: {
    trailDays: 400,
    exportDays: 400,
    reportDays: 400,
    continuationDays: 30,
    oldVersionDays: 30,
    oldFileVersionArchive: null,
  },
  backups: {
    daily: { schedule: "cron(0 3 * * ? *)", retentionDays: 35 },
    weekly: { schedule: "cron(0 4 ? * SUN *)", retentionDays: 400 },
  },
  queueConcurrency: { auditEvents: 40, paymentMessages: 20 },
  protections: {
    deletionProtection: true,
    kmsDeletionWindowDays: 30,
    reservedConcurrency: {
      persistPaymentLedger: 100,
      updatePaymentStatus: 20,
      recordPaymentEvent: 50,
      queryPaymentLedger: 20,
      revealPaymentToken: 5,
      persistPaymentAuditTrail: 50,
      queryPaymentAuditTrail: 10,
      processPaymentMessages: 20,
      paymentProcessor: 10,
      queryTransactions: 10,
      exportTables: 1,
      checkBackup: 1,
      sealAuditTrail: 25,
      publishCheckpoint: 2,
      sweepAuditTrail: 1,
      drillRestore: 1,
      attestCallers: 1,
    },
    emptyOnDestroy: false,
    trailLock: { mode: "COMPLIANCE", days: 365 },
    evidenceLock: { mode: "COMPLIANCE", days: 400 },
    vaultLock: { minRetentionDays: 35, maxRetentionDays: 730, changeableForDays: 7 },
  },
} as const satisfies AppConfig;

export const ENVIRONMENTS: Readonly<Record<string, AppConfig>> = { dev, prod };
