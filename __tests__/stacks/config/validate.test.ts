import { FUNCTIONS, type FunctionId, TABLES } from "../../../contract";
import { ENVIRONMENTS } from "../../../stacks/config/environments";
import { ConfigError, type ConfigErrorCode } from "../../../stacks/config/errors";
import { loadConfig, OVERRIDES } from "../../../stacks/config/load";
import type { AppConfig } from "../../../stacks/config/types";
import { validateConfig } from "../../../stacks/config/validate";

const prod = ENVIRONMENTS["prod"] as AppConfig;
const dev = ENVIRONMENTS["dev"] as AppConfig;

const NO_RESERVATION = Object.fromEntries(Object.keys(FUNCTIONS).map((id) => [id, 1])) as Record<FunctionId, number>;

function withProtections(config: AppConfig, changes: Partial<AppConfig["protections"]>): AppConfig {
  return { ...config, protections: { ...config.protections, ...changes } };
}

function withKeys(signing: readonly string[], retired: readonly string[]): AppConfig {
  return { ...dev, checkpointKeys: { signing, retired } };
}

function withApi(changes: Partial<AppConfig["privateApi"]>): AppConfig {
  return { ...dev, privateApi: { ...dev.privateApi, state: "on", ...changes } };
}

function withActors(actorsOfCallers: AppConfig["actorsOfCallers"]): AppConfig {
  return { ...withApi({}), actors: "caller", actorsOfCallers };
}

function refusal(run: () => unknown): ConfigError {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) {
      return error;
    }
    throw error;
  }
  throw new Error("nothing was refused");
}

test("the shipped environments keep every rule", () => {
  for (const [name, config] of Object.entries(ENVIRONMENTS)) {
    expect(config.environment).toBe(name);
    validateConfig(config);
  }
});

const WRONG: [ConfigErrorCode, string, AppConfig][] = [
  ["bad_suffix", "an empty suffix", { ...dev, suffix: "" }],
  ["bad_suffix", "capitals", { ...dev, suffix: "Dev" }],
  ["bad_suffix", "a trailing hyphen", { ...dev, suffix: "dev-" }],
  ["bad_suffix", "two hyphens in a row", { ...dev, suffix: "a--b" }],
  ["suffix_taken", "another environment's suffix", { ...dev, suffix: "prod" }],
  ["suffix_taken", "another environment's suffix in production", { ...prod, suffix: "dev" }],
  ["suffix_taken", "the bare suffix under a new environment", { ...dev, environment: "staging", suffix: "prod" }],
  ["suffix_taken", "a suffix that makes a name production has", { ...dev, suffix: "dlq" }],
  ["name_too_long", "a suffix that makes a bucket name too long", { ...dev, suffix: "a".repeat(32) }],
  ["bad_region", "a place that is no region", { ...dev, region: "frankfurt" }],
  ...["cn-north-1", "us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "eusc-de-east-1"].map(
    (region): (typeof WRONG)[number] => ["bad_region", `the partition of ${region}`, { ...dev, region, suffix: "far" }],
  ),
  ["bad_region", "a region of two zones", { ...dev, region: "us-west-1", suffix: "west" }],
  ["region_needs_suffix", "a second region under the same suffix", { ...dev, region: "eu-central-1" }],
  ["bad_account", "an account that is too short", { ...dev, expectedAccountId: "1234" }],
  ["bad_cidr", "a text that is not a block", { ...dev, vpcCidr: "10.0.0.0" }],
  ["bad_cidr", "an address inside a block", { ...dev, vpcCidr: "10.0.0.1/16" }],
  ["bad_cidr", "an octet above 255", { ...dev, vpcCidr: "10.256.0.0/16" }],
  ["bad_cidr", "a VPC of /27, too small for its subnets", { ...dev, vpcCidr: "10.0.0.0/27" }],
  ["bad_cidr", "a VPC of /28", { ...dev, vpcCidr: "10.0.0.0/28" }],
  ["bad_cidr", "a VPC larger than AWS allows", { ...dev, vpcCidr: "10.0.0.0/8" }],
  ["bad_cidr", "a subnet that is no block", { ...dev, privateSubnetCidrs: ["10.0.1.0/24", "x", "10.0.3.0/24"] }],
  ["bad_subnets", "two subnets for three zones", { ...dev, privateSubnetCidrs: ["10.0.1.0/24", "10.0.2.0/24"] }],
  ["bad_subnets", "no subnet", { ...dev, privateSubnetCidrs: [] }],
  [
    "bad_subnets",
    "a subnet outside the VPC",
    { ...dev, privateSubnetCidrs: ["10.0.1.0/24", "10.0.2.0/24", "10.1.0.0/24"] },
  ],
  [
    "bad_subnets",
    "subnets that overlap",
    { ...dev, privateSubnetCidrs: ["10.0.0.0/22", "10.0.2.0/24", "10.0.8.0/24"] },
  ],
  ["bad_subnets", "three subnets for two zones", { ...dev, availabilityZones: ["a", "b"] }],
  ["bad_availability_zones", "no zone", { ...dev, availabilityZones: [], privateSubnetCidrs: [] }],
  ["bad_availability_zones", "four zones", { ...dev, availabilityZones: ["a", "b", "c", "d"] }],
  ["bad_availability_zones", "a zone twice", { ...dev, availabilityZones: ["a", "b", "b"] }],
  ["bad_availability_zones", "a whole zone name", { ...dev, availabilityZones: ["us-east-1a", "b", "c"] }],
  ["bad_connectivity", "an unknown layout", { ...dev, connectivity: "vpn" as AppConfig["connectivity"] }],
  ["bad_private_api", "an API that is neither on nor off", withApi({ state: "maybe" as "on" })],
  ["bad_private_api", "a block of callers that is no CIDR block", withApi({ callerCidrs: ["10.0.0.0"] })],
  ["bad_private_api", "every address as a caller", withApi({ callerCidrs: ["0.0.0.0/0"] })],
  ["bad_private_api", "a block of callers larger than /8", withApi({ callerCidrs: ["10.0.0.0/7"] })],
  ["bad_private_api", "a caller's block twice", withApi({ callerCidrs: ["10.1.0.0/16", "10.1.0.0/16"] })],
  ["bad_private_api", "no request a second", withApi({ requestsPerSecond: 0 })],
  ["bad_private_api", "half a request at once", withApi({ burst: 0.5 })],
  ["bad_actors", "an unknown rule", { ...dev, actors: "trusted" as AppConfig["actors"] }],
  ["bad_actors", "actors that are compared without the API", { ...dev, actors: "caller" }],
  ["bad_actors", "a list that has no effect", { ...dev, actorsOfCallers: { AROAEXAMPLE1234567: ["checkout"] } }],
  ["bad_actors", "a list for an ARN", withActors({ "arn:aws:iam::111122223333:role/a": ["checkout"] })],
  ["bad_actors", "a list for a session", withActors({ "AROAEXAMPLE1234567:s": ["checkout"] })],
  ["bad_actors", "an actor that no request may have", withActors({ AROAEXAMPLE1234567: ["two words"] })],
  [
    "bad_actors",
    "a list that a function cannot hold",
    withActors({ AROAEXAMPLE1234567: Array(200).fill("checkout-1") }),
  ],
  ["bad_subnets", "a public subnet over a private one", { ...dev, publicSubnetCidr: "10.0.1.0/24" }],
  ["bad_subnets", "a public subnet outside the VPC", { ...dev, publicSubnetCidr: "10.1.11.0/24" }],
  ["bad_subnets", "a public subnet of /29", { ...dev, publicSubnetCidr: "10.0.11.0/29" }],
  ["bad_cidr", "a public subnet that is no block", { ...dev, publicSubnetCidr: "public" }],
  ["bad_log_retention", "a retention that CloudWatch lacks", { ...dev, logRetentionDays: 366 }],
  ["bad_log_retention", "less than a year in production", { ...prod, logRetentionDays: 180 }],
  ["bad_pitr_days", "more recovery than DynamoDB has", { ...dev, pitrRecoveryDays: 36 }],
  [
    "bad_protections",
    "a key deleted at once",
    { ...dev, protections: { ...dev.protections, kmsDeletionWindowDays: 1 } },
  ],
  [
    "bad_protections",
    "production without deletion protection",
    { ...prod, protections: { ...prod.protections, deletionProtection: false } },
  ],
  [
    "bad_protections",
    "production with a short KMS window",
    { ...prod, protections: { ...prod.protections, kmsDeletionWindowDays: 7 } },
  ],
  [
    "bad_protections",
    "a reservation that stops a function",
    {
      ...prod,
      protections: {
        ...prod.protections,
        reservedConcurrency: { ...(prod.protections.reservedConcurrency ?? NO_RESERVATION), persistPaymentLedger: 0 },
      },
    },
  ],
  ["bad_protections", "production that empties its buckets", withProtections(prod, { emptyOnDestroy: true })],
  [
    "bad_protections",
    "production with a lock that can be lifted",
    withProtections(prod, { trailLock: { mode: "GOVERNANCE", days: 365 } }),
  ],
  [
    "bad_protections",
    "production with a lock of less than a year",
    withProtections(prod, { trailLock: { mode: "COMPLIANCE", days: 364 } }),
  ],
  [
    "bad_protections",
    "a lock that outlasts what it locks",
    withProtections(dev, { trailLock: { mode: "GOVERNANCE", days: 91 } }),
  ],
  ["bad_protections", "a lock of no day", withProtections(dev, { trailLock: { mode: "GOVERNANCE", days: 0 } })],
  ["bad_protections", "production without a vault lock", withProtections(prod, { vaultLock: null })],
  ["bad_retention", "half a day", { ...dev, retention: { ...dev.retention, exportDays: 0.5 } }],
  [
    "bad_retention",
    "continuations that are gone before their failed run is tried again",
    { ...dev, retention: { ...dev.retention, continuationDays: 14 } },
  ],
  [
    "bad_retention",
    "old versions in Glacier for less than Glacier bills",
    { ...dev, retention: { ...dev.retention, oldFileVersionArchive: { afterDays: 30, keptDays: 119 } } },
  ],
  [
    "bad_retention",
    "old versions in Glacier from the first moment on",
    { ...dev, retention: { ...dev.retention, oldFileVersionArchive: { afterDays: 0, keptDays: 400 } } },
  ],
  [
    "bad_retention",
    "less than a year of CloudTrail in production",
    {
      ...withProtections(prod, { trailLock: { mode: "COMPLIANCE", days: 90 } }),
      retention: { ...prod.retention, trailDays: 180 },
    },
  ],
  [
    "bad_backups",
    "a backup that the locked vault refuses",
    { ...prod, backups: { ...prod.backups, daily: { ...prod.backups.daily, retentionDays: 7 } } },
  ],
  [
    "bad_backups",
    "a backup that is kept longer than the vault allows",
    { ...prod, backups: { ...prod.backups, weekly: { ...prod.backups.weekly, retentionDays: 731 } } },
  ],
  [
    "bad_backups",
    "a vault lock without days in which it can be taken off",
    withProtections(prod, { vaultLock: { minRetentionDays: 35, maxRetentionDays: 730, changeableForDays: 2 } }),
  ],
  ["bad_schedule", "a rate", { ...dev, schedules: { ...dev.schedules, fullExport: "rate(7 days)" } }],
  [
    "bad_schedule",
    "a backup's five fields",
    { ...dev, backups: { ...dev.backups, daily: { schedule: "cron(0 3 * * *)", retentionDays: 7 } } },
  ],
  ["bad_queue_concurrency", "one call at a time", { ...dev, queueConcurrency: { auditEvents: 1, paymentMessages: 5 } }],
  [
    "bad_queue_concurrency",
    "more calls than the function may run",
    { ...prod, queueConcurrency: { auditEvents: 51, paymentMessages: 20 } },
  ],
  [
    "bad_backend",
    "a bucket that cannot exist",
    { ...dev, backend: { kind: "s3", bucket: "My Bucket", region: "us-east-1", kmsKeyArn: null } },
  ],
  [
    "bad_backend",
    "a key that is no ARN",
    { ...dev, backend: { kind: "s3", bucket: "acme-state", region: "us-east-1", kmsKeyArn: "state" } },
  ],
  [
    "bad_backend",
    "an organization with spaces",
    { ...dev, backend: { kind: "cloud", organization: "Acme Inc", hostname: "app.terraform.io" } },
  ],
  ["bad_shard_count", "no shard", { ...dev, indexShardCount: 0 }],
  ["bad_shard_count", "more shards than a query can ask", { ...dev, indexShardCount: 101 }],
  ["bad_field_encryption", "an unknown way", { ...dev, fieldEncryption: "none" as AppConfig["fieldEncryption"] }],
  [
    "bad_reader_arn",
    "every role of an account",
    { ...dev, failureQueueReaderArns: ["arn:aws:iam::111122223333:role/*"] },
  ],
  ["bad_reader_arn", "a user", { ...dev, failureQueueReaderArns: ["arn:aws:iam::111122223333:user/alice"] }],
  ["bad_sender_arn", "every role of an account", { ...dev, eventSenderArns: ["arn:aws:iam::111122223333:role/*"] }],
  ["bad_sender_arn", "a service", { ...dev, paymentSenderArns: ["events.amazonaws.com"] }],
  ["bad_checkpoint_keys", "no key that signs", withKeys([], ["1"])],
  ["bad_checkpoint_keys", "three keys that sign", withKeys(["1", "2", "3"], [])],
  ["bad_checkpoint_keys", "a generation that signs and is retired", withKeys(["1", "2"], ["1"])],
  ["bad_checkpoint_keys", "a generation named twice", withKeys(["1", "1"], [])],
  ["bad_checkpoint_keys", "a retired generation that is left out, and so destroyed", withKeys(["2"], [])],
  ["bad_checkpoint_keys", "a generation that is no count", withKeys(["first"], [])],
  ["bad_checkpoint_keys", "a count with a leading zero", withKeys(["01"], [])],
  [
    "bad_checkpoint_keys",
    "a key that encrypts",
    { ...dev, checkpointKeySpec: "SYMMETRIC_DEFAULT" as AppConfig["checkpointKeySpec"] },
  ],
  [
    "bad_protections",
    "production with evidence that can be removed",
    withProtections(prod, { evidenceLock: { mode: "GOVERNANCE", days: 400 } }),
  ],
  [
    "bad_protections",
    "production with evidence locked for less than a year",
    withProtections(prod, { evidenceLock: { mode: "COMPLIANCE", days: 364 } }),
  ],
  [
    "bad_protections",
    "evidence locked for half a day",
    withProtections(dev, { evidenceLock: { mode: "GOVERNANCE", days: 0.5 } }),
  ],
  [
    "bad_protections",
    "evidence under a lock that S3 does not know",
    withProtections(dev, { evidenceLock: { mode: "NONE" as "GOVERNANCE", days: 1 } }),
  ],
  [
    "bad_protections",
    "fewer reserved for the sealer than the streams of new tables have shards",
    withProtections(prod, {
      reservedConcurrency: {
        ...(prod.protections.reservedConcurrency ?? NO_RESERVATION),
        sealAuditTrail: 4 * Object.keys(TABLES).length + 1,
      },
    }),
  ],
  ["bad_evidence_arn", "a whole account as a witness", { ...dev, witnessArns: ["arn:aws:iam::111122223333:root"] }],
  [
    "bad_evidence_arn",
    "every role of an account as a reader",
    { ...dev, evidenceReaderArns: ["arn:aws:iam::111122223333:role/*"] },
  ],
  ["bad_drill_days", "a drill as rare as its alarm looks back", { ...dev, drillEveryDays: 7 }],
  ["bad_check_pieces", "no piece", { ...dev, checkPieces: 0 }],
  ["bad_check_pieces", "more pieces than are merged", { ...dev, checkPieces: 257 }],
  ["bad_check_pieces", "more pieces than calls that are reserved", { ...prod, checkPieces: 2 }],
  [
    "bad_check_pieces",
    "more pieces than calls that are reserved for one of the checks",
    {
      ...withProtections(prod, {
        reservedConcurrency: {
          ...(prod.protections.reservedConcurrency ?? NO_RESERVATION),
          sweepAuditTrail: 2,
        },
      }),
      checkPieces: 2,
    },
  ],
  ["bad_drill_days", "a drill twice a day", { ...dev, drillEveryDays: 0.5 }],
  ["bad_schedule", "a sweep at a rate", { ...dev, schedules: { ...dev.schedules, logSweep: "rate(1 day)" } }],
  ["bad_tags", "a reserved tag", { ...dev, extraTags: { "aws:owner": "me" } }],
];

test.each(WRONG)("%s: %s", (code, _, config) => {
  const error = refusal(() => validateConfig(config));
  expect(error.code).toBe(code);
  expect(error.message).toMatch(/^Configuration error \(\w+\): .+\n {2}Rule: {3}.+\n {2}Remedy: .+$/);
});

test.each<[string, AppConfig]>([
  ["a public subnet of /28", { ...dev, publicSubnetCidr: "10.0.11.0/28" }],
  ["callers in a block of /8", withApi({ callerCidrs: ["10.0.0.0/8"] })],
  ["as many pieces as can be merged", { ...dev, checkPieces: 256 }],
  ["a data key for each record", { ...dev, fieldEncryption: "per-record" }],
  [
    "production's evidence locked for a year and no longer",
    withProtections(prod, { evidenceLock: { mode: "COMPLIANCE", days: 365 } }),
  ],
])("accepted: %s", (_, config) => {
  validateConfig(config);
});

test("a rotation goes by its three configurations, each of them valid", () => {
  for (const [signing, retired] of [
    [["1"], []],
    [["1", "2"], []],
    [["2"], ["1"]],
    [["3", "2"], ["1"]],
  ] as const) {
    validateConfig(withKeys(signing, retired));
  }
});

const WRONG_OVERRIDES: [ConfigErrorCode, Record<string, string>][] = [
  ["unknown_environment", { [OVERRIDES.environment]: "staging" }],
  ["unknown_environment", { [OVERRIDES.environment]: "constructor" }],
  ["bad_backend", { [OVERRIDES.backend]: "ftp" }],
  ["bad_backend", { [OVERRIDES.backend]: "s3" }],
  ["bad_backend", { [OVERRIDES.backend]: "cloud", [OVERRIDES.organization]: "" }],
  ...[
    "",
    "https://tfe.example.com/",
    "tfe.example.com/app",
    "TFE.example.com",
    "tfe_1.example.com",
    "tfe.example.com:x",
  ].map((hostname): (typeof WRONG_OVERRIDES)[number] => [
    "bad_backend",
    { [OVERRIDES.backend]: "cloud", [OVERRIDES.organization]: "acme", [OVERRIDES.hostname]: hostname },
  ]),
  ["unknown_setting", { PAYMENT_LEDGER_ENVIRONMENT: "prod" }],
  ["bad_suffix", { [OVERRIDES.suffix]: "" }],
  ["region_needs_suffix", { [OVERRIDES.region]: "eu-central-1" }],
  ["bad_availability_zones", { [OVERRIDES.availabilityZones]: "a,a" }],
  ["bad_availability_zones", { [OVERRIDES.availabilityZones]: "" }],
  ["unknown_profile", { [OVERRIDES.profile]: "tiny" }],
  ["bad_connectivity", { [OVERRIDES.connectivity]: "internet" }],
  ["bad_private_api", { [OVERRIDES.privateApi]: "yes" }],
  ["bad_actors", { [OVERRIDES.actors]: "anybody" }],
  ["bad_actors", { [OVERRIDES.actors]: "caller" }],
  ["bad_account", { [OVERRIDES.expectedAccountId]: "me" }],
];

test.each(["app.terraform.io", "tfe.example.com", "localhost:8443", "10.0.0.7:443"])(
  "the host name %s is taken",
  (hostname) => {
    const cloud = { [OVERRIDES.backend]: "cloud", [OVERRIDES.organization]: "acme", [OVERRIDES.hostname]: hostname };
    expect(loadConfig(cloud).backend).toMatchObject({ hostname });
  },
);

test("the private API and the rule of actors are taken from outside", () => {
  const config = loadConfig({ [OVERRIDES.privateApi]: "on", [OVERRIDES.actors]: "caller" });
  expect(config).toMatchObject({ privateApi: { state: "on", callerCidrs: [] }, actors: "caller" });
  validateConfig(withActors({ AROAEXAMPLE1234567: ["checkout", "*"], AIDAEXAMPLE1234567: [] }));
});

test.each(["us-gov-west-1", "eu-central-1", "ap-southeast-2"])("the region %s is taken", (region) => {
  expect(loadConfig({ [OVERRIDES.region]: region, [OVERRIDES.suffix]: "far" }).region).toBe(region);
});

test.each(WRONG_OVERRIDES)("%s: %j", (code, variables) => {
  expect(refusal(() => loadConfig(variables)).code).toBe(code);
});

test("every code of a refusal has a case here", () => {
  const covered = new Set([...WRONG.map(([code]) => code), ...WRONG_OVERRIDES.map(([code]) => code)]);
  const all: Record<ConfigErrorCode, true> = {
    unknown_environment: true,
    unknown_profile: true,
    unknown_setting: true,
    bad_region: true,
    bad_suffix: true,
    suffix_taken: true,
    region_needs_suffix: true,
    name_too_long: true,
    bad_account: true,
    bad_cidr: true,
    bad_subnets: true,
    bad_availability_zones: true,
    bad_connectivity: true,
    bad_private_api: true,
    bad_actors: true,
    bad_log_retention: true,
    bad_pitr_days: true,
    bad_protections: true,
    bad_retention: true,
    bad_backups: true,
    bad_schedule: true,
    bad_queue_concurrency: true,
    bad_backend: true,
    bad_shard_count: true,
    bad_field_encryption: true,
    bad_reader_arn: true,
    bad_sender_arn: true,
    bad_checkpoint_keys: true,
    bad_check_pieces: true,
    bad_evidence_arn: true,
    bad_drill_days: true,
    bad_tags: true,
  };
  expect([...covered].sort()).toEqual(Object.keys(all).sort());
});
