/** The private API, which is off unless the configuration asks for it: who reaches it, who may call what, and what is kept. */

import { API_FUNCTIONS, FUNCTIONS } from "../../contract";
import { isUnansweredUrl } from "../../local/resources/plan-only";
import {
  conditionOf,
  configOf,
  type JsonObject,
  only,
  published,
  reference,
  STACK_IDS,
  type StackJson,
  statement,
  statements,
  synthesize,
  WITH_PRIVATE_API,
} from "../support/synth";

const { security, network, functions } = synthesize(configOf("prod", WITH_PRIVATE_API)).stacks;
const without = synthesize(configOf("prod")).stacks;

const ENDPOINT = published("network", "aws_vpc_endpoint", "api-endpoint", "id");
const EXECUTION_ARN = reference("aws_api_gateway_rest_api.private-api.execution_arn");
const API_ID = reference("aws_api_gateway_rest_api.private-api.id");
const TARGETS = API_FUNCTIONS.map((id) => FUNCTIONS[id]);

const all = (stack: StackJson, type: string): JsonObject[] => Object.values(stack.resource[type] ?? {});

test("without the setting there is no API, no endpoint of it, and no function knows of one", () => {
  for (const id of STACK_IDS) {
    expect(Object.keys(without[id].resource).filter((type) => type.startsWith("aws_api_gateway"))).toEqual([]);
  }
  expect(without.network.resource["aws_vpc_endpoint"]).not.toHaveProperty("api-endpoint");
  expect(JSON.stringify(without.functions)).not.toMatch(/PRIVATE_API|ACTORS_OF_CALLERS|execute-api/);
});

test("the API is private, and bound to the VPC's endpoint", () => {
  expect(only(functions, "aws_api_gateway_rest_api", "private-api")).toMatchObject({
    name: "payment-ledger",
    endpoint_configuration: { types: ["PRIVATE"], vpc_endpoint_ids: [ENDPOINT] },
  });
  expect(functions.output["PrivateApiUrl"]?.["value"]).toBe(
    `https://${API_ID}-${ENDPOINT}.execute-api.us-east-1.amazonaws.com/v1`,
  );
});

test("its URL is the only output that the embedded AWS does not give out", () => {
  const outputs = [security, network, functions].flatMap(({ output }) => Object.entries(output));
  const leftOut = outputs.filter(([, { value }]) => isUnansweredUrl(value as string));
  expect(leftOut.map(([name]) => name)).toEqual(["PrivateApiUrl"]);
});

test("its policy lets this account in through the endpoint, and refuses every other way", () => {
  expect(only(functions, "aws_api_gateway_rest_api_policy", "private-api-policy")["policy"]).toBe(
    reference("data.aws_iam_policy_document.private-api-policy-document.json"),
  );
  const [allowed, denied, ...more] = statements(functions, "private-api-policy-document");
  expect(more).toEqual([]);
  expect(allowed).toMatchObject({
    actions: ["execute-api:Invoke"],
    resources: [`${EXECUTION_ARN}/v1/POST/*`],
    // The account, not everybody: then a caller's own policy must allow the call too.
    principals: [{ type: "AWS", identifiers: [expect.stringMatching(/:root$/)] }],
    condition: [{ test: "StringEquals", variable: "aws:SourceVpce", values: [ENDPOINT] }],
  });
  expect(denied).toMatchObject({
    effect: "Deny",
    actions: ["execute-api:Invoke"],
    resources: [`${EXECUTION_ARN}/*`],
    condition: [{ test: "StringNotEquals", variable: "aws:SourceVpce", values: [ENDPOINT] }],
  });
});

test("the endpoint leads to this API alone, for principals of this account, from the named networks, in each zone", () => {
  expect(only(network, "aws_vpc_endpoint", "api-endpoint")).toMatchObject({
    service_name: "com.amazonaws.us-east-1.execute-api",
    vpc_endpoint_type: "Interface",
    private_dns_enabled: false,
    subnet_ids: [1, 2, 3].map((zone) => reference(`aws_subnet.private-subnet-${zone}.id`)),
    security_group_ids: [reference("aws_security_group.api-endpoint-security-group.id")],
  });
  const rules = all(network, "aws_vpc_security_group_ingress_rule").filter(({ cidr_ipv4 }) => cidr_ipv4 !== undefined);
  expect(rules.map(({ cidr_ipv4, from_port, to_port }) => [cidr_ipv4, from_port, to_port])).toEqual([
    ["10.0.0.0/16", 443, 443],
    ["10.20.0.0/16", 443, 443],
  ]);
  expect(only(functions, "aws_vpc_endpoint_policy", "private-api-endpoint-policy")["vpc_endpoint_id"]).toBe(ENDPOINT);
  const [found, ...more] = statements(functions, "private-api-endpoint-policy-document");
  expect(more).toEqual([]);
  expect(found).toMatchObject({ actions: ["execute-api:Invoke"], resources: [`${EXECUTION_ARN}/v1/POST/*`] });
  expect(found && conditionOf(found, "aws:PrincipalAccount")?.values).toEqual([
    reference("data.aws_caller_identity.current.account_id"),
  ]);
});

test.each(TARGETS)(
  "$name has one method, which asks IAM who calls, and a permission for that method alone",
  ({ name, entry }) => {
    expect(only(functions, "aws_api_gateway_resource", `api-${entry}`)["path_part"]).toBe(name);
    expect(only(functions, "aws_api_gateway_method", `api-${entry}-post`)).toMatchObject({
      http_method: "POST",
      authorization: "AWS_IAM",
    });
    expect(only(functions, "aws_api_gateway_integration", `api-${entry}-integration`)).toMatchObject({
      type: "AWS_PROXY",
      integration_http_method: "POST",
      uri: reference(`aws_lambda_function.${entry}.invoke_arn`),
      timeout_milliseconds: 29_000,
    });
    expect(only(functions, "aws_lambda_permission", `api-${entry}-permission`)).toMatchObject({
      action: "lambda:InvokeFunction",
      principal: "apigateway.amazonaws.com",
      function_name: reference(`aws_lambda_function.${entry}.arn`),
      // With its stage: a test call from the console has another one.
      source_arn: `${EXECUTION_ARN}/v1/POST/${name}`,
    });
  },
);

test("no other function and no other method is reached", () => {
  expect(all(functions, "aws_api_gateway_method")).toHaveLength(TARGETS.length);
  const gateways = all(functions, "aws_lambda_permission").filter(
    ({ principal }) => principal === "apigateway.amazonaws.com",
  );
  expect(gateways).toHaveLength(TARGETS.length);
});

test("the stage throttles, caches nothing, and logs who called and never what was said", () => {
  const stage = only(functions, "aws_api_gateway_stage", "private-api-stage");
  expect(stage).toMatchObject({ stage_name: "v1", cache_cluster_enabled: false });
  expect(only(functions, "aws_api_gateway_method_settings", "private-api-settings")).toMatchObject({
    method_path: "*/*",
    settings: {
      throttling_rate_limit: 50,
      throttling_burst_limit: 100,
      caching_enabled: false,
      data_trace_enabled: false,
      logging_level: "OFF",
    },
  });
  const { format } = stage["access_log_settings"] as { format: string };
  const logged = [...format.matchAll(/\$context\.[\w.]+/g)].map(([variable]) => variable);
  expect(logged).toEqual(expect.arrayContaining(["$context.identity.caller", "$context.integration.requestId"]));
  // A path, a query and a header hold whatever a caller writes.
  expect(logged.filter((variable) => /\.(path|querystring|header|requestOverride|body)/.test(variable))).toEqual([]);
});

test("the access log is encrypted under the logs' key, which admits it, and is kept like the others", () => {
  const name = "/aws/apigateway/payment-ledger";
  expect(only(functions, "aws_cloudwatch_log_group", "private-api-log")).toMatchObject({
    name,
    kms_key_id: published("security", "aws_kms_key", "logs-key", "arn"),
    retention_in_days: 400,
  });
  const groups = (stack: StackJson) =>
    conditionOf(statement(stack, "logs-key-policy", "LogGroupsOfThisProject"), "kms:EncryptionContext:aws:logs:arn");
  expect(groups(security)?.values.filter((arn) => arn.endsWith(`:${name}`))).toHaveLength(1);
  expect(groups(without.security)?.values.filter((arn) => arn.endsWith(`:${name}`))).toEqual([]);
});

test("a new deployment is made when a method, an integration or the policy changes", () => {
  const { triggers, lifecycle } = only(functions, "aws_api_gateway_deployment", "private-api-deployment");
  const { redeployment } = triggers as { redeployment: string };
  expect(redeployment).toContain("aws_api_gateway_rest_api_policy.private-api-policy.policy");
  for (const { entry } of TARGETS) {
    expect(redeployment).toContain(`aws_api_gateway_method.api-${entry}-post.authorization`);
    expect(redeployment).toContain(`aws_api_gateway_integration.api-${entry}-integration.uri`);
  }
  expect(lifecycle).toEqual({ create_before_destroy: true });
});

test.each([
  [
    "payment-service-access-policy",
    [
      "persist_payment_ledger",
      "update_payment_status",
      "record_payment_event",
      "query_payment_ledger",
      "persist_payment_audit_trail",
      "query_transactions",
    ],
  ],
  ["auditor-access-policy", ["query_payment_ledger", "query_payment_audit_trail", "query_transactions"]],
])("%s allows the methods of its functions, and nobody gets that which reveals tokens", (document, names) => {
  expect(statement(functions, document, "PrivateApi")).toMatchObject({
    actions: ["execute-api:Invoke"],
    resources: names.map((name) => `${EXECUTION_ARN}/v1/POST/${name}`),
  });
  // Compared with its caller, an actor of a direct call is refused: so nobody needs that permission.
  expect(statements(functions, document).map(({ sid }) => sid)).not.toContain("Functions");
  expect(statements(without.functions, document).map(({ sid }) => sid)).toContain("Functions");
});

test("the functions of the API take its requests, and all that take claims compare them", () => {
  const environments = Object.entries(functions.resource["aws_lambda_function"] ?? {}).map(([entry, found]) => {
    const { variables } = found["environment"] as { variables: Record<string, string> };
    return [entry, variables["PRIVATE_API"], variables["ACTORS_OF_CALLERS"]] as const;
  });
  const withApi = environments.filter(([, api]) => api !== undefined);
  expect(withApi.map(([entry, api]) => [entry, api]).sort()).toEqual(TARGETS.map(({ entry }) => [entry, "on"]).sort());
  const comparing = environments.filter(([, , actors]) => actors !== undefined);
  expect(comparing.map(([entry]) => entry).sort()).toEqual(
    [...TARGETS.map(({ entry }) => entry), "payment-processor", "process-payment-messages"].sort(),
  );
  expect(new Set(comparing.map(([, , actors]) => actors))).toEqual(new Set(['{"AROAEXAMPLE1234567":["checkout"]}']));
});
