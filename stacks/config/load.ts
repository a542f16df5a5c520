/**
 * Chooses the environment, applies the overrides a user may set from outside, and refuses what is wrong.
 * Nothing else at synth time reads `process.env`.
 */

import { ENVIRONMENTS } from "./environments";
import { ConfigError } from "./errors";
import type { ActorRuleName, AppConfig, BackendConfig, Connectivity, PrivateApiConfig } from "./types";
import { validateConfig } from "./validate";

/** The environment variables that steer a synth. The list is what `help` and the README show. */
export const OVERRIDES = {
  environment: "PAYMENT_LEDGER_ENV",
  suffix: "PAYMENT_LEDGER_SUFFIX",
  region: "PAYMENT_LEDGER_REGION",
  availabilityZones: "PAYMENT_LEDGER_ZONES",
  connectivity: "PAYMENT_LEDGER_CONNECTIVITY",
  profile: "PAYMENT_LEDGER_PROFILE",
  privateApi: "PAYMENT_LEDGER_PRIVATE_API",
  actors: "PAYMENT_LEDGER_ACTORS",
  expectedAccountId: "PAYMENT_LEDGER_ACCOUNT",
  backend: "PAYMENT_LEDGER_BACKEND",
  stateBucket: "PAYMENT_LEDGER_STATE_BUCKET",
  stateRegion: "PAYMENT_LEDGER_STATE_REGION",
  stateKmsKeyArn: "PAYMENT_LEDGER_STATE_KMS_KEY",
  organization: "PAYMENT_LEDGER_HCP_ORGANIZATION",
  hostname: "PAYMENT_LEDGER_HCP_HOSTNAME",
} as const;

const PREFIX = "PAYMENT_LEDGER_";
const DEFAULT_ENVIRONMENT = "dev";
const DEFAULT_HCP_HOSTNAME = "app.terraform.io";

type Variables = Readonly<Record<string, string | undefined>>;

export function loadConfig(variables: Variables = process.env): AppConfig {
  refuseUnknownSettings(variables);
  const base = chooseProfile(variables, chooseEnvironment(variables));
  const region = variables[OVERRIDES.region] ?? base.region;
  const zones = variables[OVERRIDES.availabilityZones]?.split(",") ?? base.availabilityZones;
  const config: AppConfig = {
    ...base,
    region,
    suffix: variables[OVERRIDES.suffix] ?? base.suffix,
    availabilityZones: zones,
    privateSubnetCidrs: base.privateSubnetCidrs.slice(0, zones.length),
    // An unknown value is refused by its rule.
    connectivity: (variables[OVERRIDES.connectivity] as Connectivity | undefined) ?? base.connectivity,
    privateApi: {
      ...base.privateApi,
      state: (variables[OVERRIDES.privateApi] as PrivateApiConfig["state"] | undefined) ?? base.privateApi.state,
    },
    actors: (variables[OVERRIDES.actors] as ActorRuleName | undefined) ?? base.actors,
    expectedAccountId: variables[OVERRIDES.expectedAccountId] ?? base.expectedAccountId,
    backend: chooseBackend(variables, base.backend, region),
  };
  validateConfig(config);
  return config;
}

/** As `loadConfig()`, with other values of some settings. */
export function loadConfigWith(changes: Variables): AppConfig {
  return loadConfig({ ...process.env, ...changes });
}

/** A setting with a mistyped name would deploy something else than was meant. */
function refuseUnknownSettings(variables: Variables): void {
  const known: readonly string[] = Object.values(OVERRIDES);
  const unknown = Object.keys(variables).find((name) => name.startsWith(PREFIX) && !known.includes(name));
  if (unknown === undefined) return;
  const [closest] = known.toSorted((a, b) => sharedStart(b, unknown) - sharedStart(a, unknown));
  throw new ConfigError(
    "unknown_setting",
    `there is no setting ${unknown}.`,
    `variables that begin with ${PREFIX} are settings: ${known.join(", ")}.`,
    `correct its name (did you mean ${closest}?), or unset it.`,
  );
}

function sharedStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

function chooseEnvironment(variables: Variables): AppConfig {
  const name = variables[OVERRIDES.environment] ?? DEFAULT_ENVIRONMENT;
  const chosen = Object.hasOwn(ENVIRONMENTS, name) ? ENVIRONMENTS[name] : undefined;
  if (chosen === undefined) {
    const known = Object.keys(ENVIRONMENTS).join(", ");
    throw new ConfigError(
      "unknown_environment",
      `there is no environment "${name}".`,
      `${OVERRIDES.environment} names one of: ${known}.`,
      `set ${OVERRIDES.environment} to one of them, or add "${name}" to stacks/config/environments.ts.`,
    );
  }
  return chosen;
}

/**
 * `small` is for a company of few people and a new account: interface endpoints in one zone, and no concurrency reserved, because
 * the account has little. Whatever protects data stays as the environment has it.
 */
function chooseProfile(variables: Variables, environment: AppConfig): AppConfig {
  const name = variables[OVERRIDES.profile];
  if (name === undefined) return environment;
  if (name !== "small") {
    throw new ConfigError(
      "unknown_profile",
      `there is no profile "${name}".`,
      `${OVERRIDES.profile} is small, or is not set.`,
      "set it to small, or unset it and write the settings into stacks/config/environments.ts.",
    );
  }
  return {
    ...environment,
    availabilityZones: environment.availabilityZones.slice(0, 1),
    queueConcurrency: { auditEvents: 5, paymentMessages: 5 },
    protections: { ...environment.protections, reservedConcurrency: null },
  };
}

function chooseBackend(variables: Variables, configured: BackendConfig, region: string): BackendConfig {
  const kind = variables[OVERRIDES.backend];
  switch (kind) {
    case undefined:
      return configured;
    case "local":
      return { kind };
    case "s3":
      return {
        kind,
        bucket: required(variables, OVERRIDES.stateBucket, "the bucket that keeps the state"),
        region: variables[OVERRIDES.stateRegion] ?? region,
        kmsKeyArn: variables[OVERRIDES.stateKmsKeyArn] ?? null,
      };
    case "cloud":
      return {
        kind,
        organization: required(variables, OVERRIDES.organization, "the HCP Terraform organization"),
        hostname: variables[OVERRIDES.hostname] ?? DEFAULT_HCP_HOSTNAME,
      };
    default:
      throw new ConfigError(
        "bad_backend",
        `there is no backend "${kind}".`,
        `${OVERRIDES.backend} is local, s3 or cloud.`,
        "set it to one of them, or unset it to use the environment's own.",
      );
  }
}

function required(variables: Variables, name: string, meaning: string): string {
  const value = variables[name];
  if (value === undefined || value === "") {
    throw new ConfigError(
      "bad_backend",
      `${name} is not set.`,
      `this backend needs ${meaning}.`,
      `set ${name}, or choose another ${OVERRIDES.backend}.`,
    );
  }
  return value;
}
