import { loadConfig, OVERRIDES } from "../../../stacks/config/load";

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
