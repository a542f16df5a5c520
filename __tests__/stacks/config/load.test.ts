import { loadConfig, OVERRIDES } from "../../../stacks/config/load";
import { warningsAbout } from "../../../stacks/config/warnings";

test("nothing set means dev, as it is written", () => {
  expect(loadConfig({})).toMatchObject({
    environment: "dev",
    suffix: "dev",
    region: "us-east-1",
    backend: { kind: "local" },
  });
});

test("another region takes another suffix and its own zones", () => {
  const config = loadConfig({
    [OVERRIDES.environment]: "prod",
    [OVERRIDES.region]: "ap-northeast-1",
    [OVERRIDES.suffix]: "prod-tokyo",
    [OVERRIDES.availabilityZones]: "a,c,d",
    [OVERRIDES.expectedAccountId]: "111122223333",
  });
  expect(config).toMatchObject({
    environment: "prod",
    region: "ap-northeast-1",
    suffix: "prod-tokyo",
    availabilityZones: ["a", "c", "d"],
    expectedAccountId: "111122223333",
  });
});

test.each([
  ["a", ["10.0.1.0/24"]],
  ["b,c", ["10.0.1.0/24", "10.0.2.0/24"]],
  ["a,b,c", ["10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"]],
])("the zones %s have a private subnet each", (zones, subnets) => {
  const config = loadConfig({ [OVERRIDES.availabilityZones]: zones });
  expect(config).toMatchObject({ availabilityZones: zones.split(","), privateSubnetCidrs: subnets });
});

test("a region that gives an account two zones is taken with two", () => {
  const west = { [OVERRIDES.region]: "us-west-1", [OVERRIDES.suffix]: "west" };
  expect(loadConfig({ ...west, [OVERRIDES.availabilityZones]: "a,c" }).region).toBe("us-west-1");
});

test("the small profile has one zone, reserves no concurrency, and keeps whatever protects data", () => {
  const prod = loadConfig({ [OVERRIDES.environment]: "prod" });
  const small = loadConfig({ [OVERRIDES.environment]: "prod", [OVERRIDES.profile]: "small" });
  expect(small).toEqual({
    ...prod,
    availabilityZones: ["a"],
    privateSubnetCidrs: ["10.0.1.0/24"],
    queueConcurrency: { auditEvents: 5, paymentMessages: 5 },
    protections: { ...prod.protections, reservedConcurrency: null },
  });
  expect(loadConfig({ [OVERRIDES.profile]: "small", [OVERRIDES.availabilityZones]: "b,c" }).availabilityZones).toEqual([
    "b",
    "c",
  ]);
});

test("production in one zone is a warning, and nothing else is", () => {
  const warnings = (environment: string, zones: string) =>
    warningsAbout(loadConfig({ [OVERRIDES.environment]: environment, [OVERRIDES.availabilityZones]: zones }));
  expect(warnings("prod", "b").join()).toContain("production is in one availability zone (b)");
  expect([warnings("prod", "a,b"), warnings("prod", "a,b,c"), warnings("dev", "a")]).toEqual([[], [], []]);
});

test("the S3 backend is in the deployment's region unless another is configured", () => {
  const base = { [OVERRIDES.backend]: "s3", [OVERRIDES.stateBucket]: "acme-state" };
  expect(loadConfig(base).backend).toEqual({ kind: "s3", bucket: "acme-state", region: "us-east-1", kmsKeyArn: null });
  const kmsKeyArn = "arn:aws:kms:eu-west-1:111122223333:key/state";
  const elsewhere = { ...base, [OVERRIDES.stateRegion]: "eu-west-1", [OVERRIDES.stateKmsKeyArn]: kmsKeyArn };
  expect(loadConfig(elsewhere).backend).toEqual({ kind: "s3", bucket: "acme-state", region: "eu-west-1", kmsKeyArn });
});

test("HCP Terraform is the public service unless another host is configured", () => {
  const variables = { [OVERRIDES.backend]: "cloud", [OVERRIDES.organization]: "acme" };
  expect(loadConfig(variables).backend).toEqual({ kind: "cloud", organization: "acme", hostname: "app.terraform.io" });
  expect(loadConfig({ ...variables, [OVERRIDES.hostname]: "tfe.acme.example" }).backend).toMatchObject({
    hostname: "tfe.acme.example",
  });
});

test("a setting that does not exist is refused, with the one that was meant", () => {
  expect(() => loadConfig({ PAYMENT_LEDGR_ENV: "prod" })).not.toThrow();
  expect(() => loadConfig({ PAYMENT_LEDGER_ENVIROMENT: "prod" })).toThrow("did you mean PAYMENT_LEDGER_ENV?");
  expect(() => loadConfig({ PAYMENT_LEDGER_SUFIX: "two" })).toThrow("did you mean PAYMENT_LEDGER_SUFFIX?");
});
