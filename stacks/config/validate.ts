/** Every rule that a configuration must keep, checked before a single resource is made. */

import { type Cidr, contains, overlap, parseCidr } from "./cidr";
import { ENVIRONMENTS } from "./environments";
import { ConfigError, refuseUnless } from "./errors";
import { BARE_SUFFIX, boundedNames, namesOf } from "./names";
import { type AppConfig, CONNECTIVITIES } from "./types";
import { checkCallers } from "./validate-callers";
import { checkDataProtection, ROLE_ARN, TWELVE_MONTHS_DAYS } from "./validate-data";
import { checkLog } from "./validate-log";

/** Retentions that CloudWatch Logs accepts. */
const LOG_RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];
/** The documents ask for three. */
const ZONES_MAX = 3;
/** Of Terraform Enterprise, or `app.terraform.io`. */
const HOSTNAME =
  /^(?=.{1,253}(:|$))[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*(:\d{1,5})?$/;
/** An account there gets two. */
const REGIONS_OF_TWO_ZONES: ReadonlySet<string> = new Set(["us-west-1"]);

export function validateConfig(config: AppConfig): void {
  checkSuffix(config);
  checkPlace(config);
  checkZones(config);
  checkNetwork(config);
  checkCallers(config);
  checkRetention(config);
  checkProtections(config);
  checkDataProtection(config);
  checkLog(config);
  checkBackend(config);
  checkRuntime(config);
}

function checkSuffix({ environment, suffix }: AppConfig): void {
  refuseUnless(
    /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(suffix),
    "bad_suffix",
    suffix === "" ? "the suffix is empty." : `"${suffix}" is not a suffix.`,
    "it becomes part of bucket, role and table names: lower-case letters, digits and single hyphens, a letter first.",
    "set PAYMENT_LEDGER_SUFFIX, or `suffix` in stacks/config/environments.ts, to a short word such as dev or alice.",
  );
  const owner = Object.values(ENVIRONMENTS).find(
    (other) => other.suffix === suffix && other.environment !== environment,
  );
  refuseUnless(
    owner === undefined,
    "suffix_taken",
    `the suffix "${suffix}" belongs to the environment "${owner?.environment}", not to "${environment}".`,
    "a suffix is unique in an account: two environments under one suffix would fight over the same resources.",
    "choose another suffix, or another environment with PAYMENT_LEDGER_ENV.",
  );
  refuseUnless(
    suffix !== BARE_SUFFIX || environment === BARE_SUFFIX,
    "suffix_taken",
    `the environment "${environment}" has the suffix "${BARE_SUFFIX}".`,
    `the suffix "${BARE_SUFFIX}" gives the ledger its bare production names.`,
    "choose another suffix for this environment.",
  );
  const taken = new Set(suffix === BARE_SUFFIX ? [] : allNames(BARE_SUFFIX));
  const shared = allNames(suffix).find((name) => taken.has(name));
  refuseUnless(
    shared === undefined,
    "suffix_taken",
    `under the suffix "${suffix}" something would be called "${shared}", a name that production has without its suffix.`,
    "two deployments in one account share no name.",
    "choose another suffix.",
  );
  for (const { service, limit, name } of boundedNames({ suffix })) {
    refuseUnless(
      name.length <= limit,
      "name_too_long",
      `the ${service} name "${name}" has ${name.length} characters.`,
      `the service allows ${limit}.`,
      `shorten the suffix by ${name.length - limit} characters or more.`,
    );
  }
}

function allNames(suffix: string): string[] {
  return Object.values(namesOf({ suffix })).flatMap((names) =>
    typeof names === "string" ? [names] : Object.values(names),
  );
}

function checkPlace({ environment, region, suffix, expectedAccountId, availabilityZones: zones }: AppConfig): void {
  refuseUnless(
    /^[a-z]{2}(-[a-z]+)+-\d$/.test(region),
    "bad_region",
    `"${region}" is not an AWS region.`,
    "a region looks like us-east-1 or eu-central-1.",
    "set PAYMENT_LEDGER_REGION, or `region` in stacks/config/environments.ts.",
  );
  refuseUnless(
    !/^(cn|us-iso[a-z]*|eu-isoe|eusc)-/.test(region),
    "bad_region",
    `"${region}" is in a partition that this project does not support.`,
    "service names in policies and endpoints are written for the partitions aws and aws-us-gov; China and the isolated partitions use others.",
    "set PAYMENT_LEDGER_REGION to a commercial or GovCloud region.",
  );
  refuseUnless(
    zones.length < ZONES_MAX || !REGIONS_OF_TWO_ZONES.has(region),
    "bad_region",
    `${region} gives an account two availability zones.`,
    "each private subnet lies in a separate zone.",
    "name two in PAYMENT_LEDGER_ZONES, or set PAYMENT_LEDGER_REGION to a region with three zones.",
  );
  const home = ENVIRONMENTS[environment];
  refuseUnless(
    home === undefined || region === home.region || suffix !== home.suffix,
    "region_needs_suffix",
    `the region ${region} is not the home region ${home?.region} of "${environment}", and the suffix is still "${suffix}".`,
    "IAM role names are shared by all regions of an account, so a second region takes another suffix.",
    `set PAYMENT_LEDGER_SUFFIX too, or make ${region} the environment's \`region\` in stacks/config/environments.ts.`,
  );
  refuseUnless(
    expectedAccountId === null || /^\d{12}$/.test(expectedAccountId),
    "bad_account",
    `"${expectedAccountId}" is not an AWS account.`,
    "an account is a number of 12 digits.",
    "set PAYMENT_LEDGER_ACCOUNT to the account that this deployment belongs to, or unset it.",
  );
}

function checkNetwork(config: AppConfig): void {
  refuseUnless(
    CONNECTIVITIES.includes(config.connectivity),
    "bad_connectivity",
    `there is no connectivity "${config.connectivity}".`,
    "it is privatelink (interface endpoints, no way to the internet), nat (a NAT gateway and gateway endpoints) or nat-privatelink (a NAT gateway, and PrivateLink to DynamoDB).",
    "set PAYMENT_LEDGER_CONNECTIVITY, or `connectivity` in stacks/config/environments.ts.",
  );
  const vpc = cidrOrRefuse(config.vpcCidr);
  refuseUnless(
    vpc.prefixLength >= 16 && vpc.prefixLength <= 26,
    "bad_cidr",
    `the VPC's block ${config.vpcCidr} has a prefix of ${vpc.prefixLength} bits.`,
    "AWS allows a prefix of 16 to 28 bits; three subnets with room for functions need 26 or less.",
    "set `vpcCidr` in stacks/config/environments.ts, such as 10.0.0.0/16.",
  );
  const subnets = config.privateSubnetCidrs.map(cidrOrRefuse);
  const fit = subnets.every((subnet) => contains(vpc, subnet) && subnet.prefixLength <= 28);
  const apart = subnets.every((one, i) => subnets.slice(i + 1).every((other) => !overlap(one, other)));
  refuseUnless(
    subnets.length === config.availabilityZones.length && fit && apart,
    "bad_subnets",
    `the private subnets are ${config.privateSubnetCidrs.join(", ") || "none"}.`,
    `there is one for each availability zone, inside ${config.vpcCidr}, of /28 or larger, none overlapping another.`,
    "correct `privateSubnetCidrs` in stacks/config/environments.ts.",
  );
  const publicSubnet = cidrOrRefuse(config.publicSubnetCidr);
  refuseUnless(
    contains(vpc, publicSubnet) &&
      publicSubnet.prefixLength <= 28 &&
      !subnets.some((one) => overlap(one, publicSubnet)),
    "bad_subnets",
    `the public subnet is ${config.publicSubnetCidr}.`,
    `it lies inside ${config.vpcCidr}, is a /28 or larger and overlaps no private one.`,
    "correct `publicSubnetCidr` in stacks/config/environments.ts.",
  );
}

function checkZones({ availabilityZones: zones }: AppConfig): void {
  refuseUnless(
    zones.length >= 1 &&
      zones.length <= ZONES_MAX &&
      new Set(zones).size === zones.length &&
      zones.every((zone) => /^[a-z]$/.test(zone)),
    "bad_availability_zones",
    `the availability zones are "${zones.join(",")}".`,
    `there are one to ${ZONES_MAX} different letters; a region has its own (ap-northeast-1 has a, c and d).`,
    "set PAYMENT_LEDGER_ZONES, such as a,b,c, or `availabilityZones` in stacks/config/environments.ts.",
  );
}

function cidrOrRefuse(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === undefined) {
    throw new ConfigError(
      "bad_cidr",
      `"${text}" is not an IPv4 block.`,
      "a block is written as its first address and the length of its prefix, such as 10.0.1.0/24.",
      "correct `vpcCidr`, `privateSubnetCidrs` or `publicSubnetCidr` in stacks/config/environments.ts.",
    );
  }
  return cidr;
}

function checkRetention({ environment, logRetentionDays, pitrRecoveryDays }: AppConfig): void {
  refuseUnless(
    LOG_RETENTION_DAYS.includes(logRetentionDays),
    "bad_log_retention",
    `logs would be kept ${logRetentionDays} days.`,
    `CloudWatch Logs knows these retentions only: ${LOG_RETENTION_DAYS.join(", ")}.`,
    "set `logRetentionDays` in stacks/config/environments.ts to one of them.",
  );
  refuseUnless(
    environment !== "prod" || logRetentionDays >= TWELVE_MONTHS_DAYS,
    "bad_log_retention",
    `production logs would be kept ${logRetentionDays} days.`,
    `PCI DSS 10.5.1 asks for twelve months: ${TWELVE_MONTHS_DAYS} days or more.`,
    "raise `logRetentionDays` of prod in stacks/config/environments.ts.",
  );
  refuseUnless(
    Number.isInteger(pitrRecoveryDays) && pitrRecoveryDays >= 1 && pitrRecoveryDays <= 35,
    "bad_pitr_days",
    `point-in-time recovery would reach ${pitrRecoveryDays} days back.`,
    "DynamoDB allows 1 to 35 whole days.",
    "set `pitrRecoveryDays` in stacks/config/environments.ts.",
  );
}

function checkProtections({ environment, protections }: AppConfig): void {
  const { deletionProtection, kmsDeletionWindowDays: window, reservedConcurrency, emptyOnDestroy } = protections;
  refuseUnless(
    Number.isInteger(window) && window >= 7 && window <= 30,
    "bad_protections",
    `KMS keys would be destroyed ${window} days after the order.`,
    "KMS allows 7 to 30 whole days.",
    "set `kmsDeletionWindowDays` in stacks/config/environments.ts.",
  );
  refuseUnless(
    environment !== "prod" || (deletionProtection && window === 30 && !emptyOnDestroy),
    "bad_protections",
    "production would lack deletion protection or the longest KMS deletion window, or empty its buckets on destroy.",
    "production keeps its data against every single mistake.",
    "set `deletionProtection: true`, `kmsDeletionWindowDays: 30` and `emptyOnDestroy: false` for prod in stacks/config/environments.ts.",
  );
  refuseUnless(
    Object.values(reservedConcurrency ?? {}).every((count) => Number.isInteger(count) && count >= 1),
    "bad_protections",
    "a function would have a reserved concurrency below 1.",
    "a reservation of 0 stops the function altogether.",
    "set `reservedConcurrency` to whole numbers from 1, or to null, in stacks/config/environments.ts.",
  );
}

function checkBackend({ backend }: AppConfig): void {
  if (backend.kind === "s3") {
    refuseUnless(
      /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(backend.bucket),
      "bad_backend",
      `"${backend.bucket}" is not a bucket name.`,
      "3 to 63 lower-case letters, digits, dots and hyphens.",
      "set PAYMENT_LEDGER_STATE_BUCKET to the name of the bucket that keeps the state.",
    );
    refuseUnless(
      backend.kmsKeyArn === null || /^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:(key|alias)\/.+$/.test(backend.kmsKeyArn),
      "bad_backend",
      `"${backend.kmsKeyArn}" is not the ARN of a KMS key.`,
      "it looks like arn:aws:kms:us-east-1:111122223333:key/....",
      "correct PAYMENT_LEDGER_STATE_KMS_KEY, or unset it to use the bucket's own encryption.",
    );
  }
  if (backend.kind === "cloud") {
    refuseUnless(
      /^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(backend.organization),
      "bad_backend",
      `"${backend.organization}" is not an HCP Terraform organization.`,
      "letters, digits, hyphens and underscores.",
      "set PAYMENT_LEDGER_HCP_ORGANIZATION to the organization's name.",
    );
    refuseUnless(
      HOSTNAME.test(backend.hostname),
      "bad_backend",
      `"${backend.hostname}" is not the host name of an HCP Terraform server.`,
      "a host name in lower case, with a port where it has one; no scheme, no path, and not empty.",
      "set PAYMENT_LEDGER_HCP_HOSTNAME to a name such as tfe.example.com, or unset it for app.terraform.io.",
    );
  }
}

function checkRuntime({ indexShardCount, fieldEncryption, failureQueueReaderArns, extraTags }: AppConfig): void {
  refuseUnless(
    Number.isInteger(indexShardCount) && indexShardCount >= 1 && indexShardCount <= 100,
    "bad_shard_count",
    `the indexes would have ${indexShardCount} shards.`,
    "1 to 100 whole shards; a query asks each of them.",
    "set `indexShardCount` in stacks/config/environments.ts, and never below what was deployed before.",
  );
  refuseUnless(
    ["cached", "per-record"].includes(fieldEncryption),
    "bad_field_encryption",
    `there is no field encryption "${fieldEncryption}".`,
    "it is cached or per-record.",
    "set `fieldEncryption` in stacks/config/environments.ts.",
  );
  for (const arn of failureQueueReaderArns) {
    refuseUnless(
      ROLE_ARN.test(arn),
      "bad_reader_arn",
      `"${arn}" is not the ARN of one role.`,
      "who may read the failure queue is named role by role, without wildcards.",
      "correct `failureQueueReaderArns` in stacks/config/environments.ts.",
    );
  }
  for (const [key, value] of Object.entries(extraTags)) {
    refuseUnless(
      /^(?!aws:)[\w .:/=+@-]{1,128}$/.test(key) && /^[\w .:/=+@-]{0,256}$/.test(value),
      "bad_tags",
      `"${key}" = "${value}" is not a tag.`,
      "letters, digits, spaces and _ . : / = + @ -; keys up to 128, values up to 256 characters, no key begins with aws:.",
      "correct `extraTags` in stacks/config/environments.ts.",
    );
  }
}
