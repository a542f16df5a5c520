import { ROLES } from "../../contract";
import { loadConfig, OVERRIDES } from "../../stacks/config/load";
import { asJson, differences } from "../support/snapshot";
import {
  conditionOf,
  configOf,
  type JsonObject,
  lastParts,
  only,
  prodName,
  published,
  reference,
  resourceCounts,
  statement,
  statements,
  synthesize,
} from "../support/synth";

const { network } = synthesize(configOf("prod")).stacks;
const dev = synthesize(configOf("dev")).stacks.network;

test("the stack holds these resources and no others: no gateway to the internet, no NAT", () => {
  expect(resourceCounts(network)).toEqual([
    "aws_cloudwatch_log_group: 1",
    "aws_default_security_group: 1",
    "aws_flow_log: 1",
    "aws_iam_role: 1",
    "aws_iam_role_policy: 1",
    "aws_route_table: 1",
    "aws_route_table_association: 3",
    "aws_security_group: 2",
    "aws_subnet: 3",
    "aws_vpc: 1",
    "aws_vpc_endpoint: 4",
    "aws_vpc_security_group_egress_rule: 2",
    "aws_vpc_security_group_ingress_rule: 1",
    "data.aws_caller_identity: 1",
    "data.aws_iam_policy_document: 6",
    "data.aws_partition: 1",
    "data.terraform_remote_state: 1",
  ]);
});

test("three private subnets lie in three pinned zones", () => {
  const subnets = Object.values(network.resource["aws_subnet"] ?? {});
  expect(subnets.map((subnet) => [subnet["cidr_block"], subnet["availability_zone"]])).toEqual([
    ["10.0.1.0/24", "us-east-1a"],
    ["10.0.2.0/24", "us-east-1b"],
    ["10.0.3.0/24", "us-east-1c"],
  ]);
  expect(subnets.every((subnet) => subnet["map_public_ip_on_launch"] === false)).toBe(true);
  expect(only(network, "aws_vpc", "vpc")).toMatchObject({
    cidr_block: "10.0.0.0/16",
    tags: { Name: "payment-vpc-prod" },
  });
});

test("in one zone there is one subnet, for the functions and every endpoint", () => {
  const config = loadConfig({ [OVERRIDES.environment]: "prod", [OVERRIDES.profile]: "small" });
  const small = synthesize(config).stacks;
  expect(Object.keys(small.network.resource["aws_subnet"] ?? {})).toEqual(["private-subnet-1"]);
  for (const endpoint of ["dynamodb", "kms", "cloudtrail"]) {
    expect(only(small.network, "aws_vpc_endpoint", `${endpoint}-endpoint`)["subnet_ids"]).toEqual([
      reference("aws_subnet.private-subnet-1.id"),
    ]);
  }
  for (const each of Object.values(small.functions.resource["aws_lambda_function"] ?? {})) {
    expect(each["vpc_config"]).toMatchObject({
      subnet_ids: [published("network", "aws_subnet", "private-subnet-1", "id")],
    });
    expect(each["reserved_concurrent_executions"]).toBeUndefined();
  }
});

test("the private subnets have no separate route", () => {
  expect(only(network, "aws_route_table", "private-routes")["route"]).toBeUndefined();
});

test("the security groups let the functions reach the endpoints and S3 on 443, and nothing else", () => {
  const rules = {
    ...network.resource["aws_vpc_security_group_egress_rule"],
    ...network.resource["aws_vpc_security_group_ingress_rule"],
  };
  const summary = Object.entries(rules).map(([id, rule]: [string, JsonObject]) => {
    const peer = rule["referenced_security_group_id"] ?? rule["prefix_list_id"];
    expect(rule["description"]).not.toBe("");
    return [id, rule["security_group_id"], peer, `${rule["ip_protocol"]} ${rule["from_port"]}-${rule["to_port"]}`];
  });
  const functions = reference("aws_security_group.function-security-group.id");
  const endpoints = reference("aws_security_group.endpoint-security-group.id");
  expect(summary).toEqual([
    ["functions-to-endpoints", functions, endpoints, "tcp 443-443"],
    ["functions-to-s3", functions, reference("aws_vpc_endpoint.s3-endpoint.prefix_list_id"), "tcp 443-443"],
    ["endpoints-from-functions", endpoints, functions, "tcp 443-443"],
  ]);
  for (const group of Object.values(network.resource["aws_security_group"] ?? {})) {
    expect(group["ingress"] ?? group["egress"]).toBeUndefined();
  }
});

test("the default security group is adopted without a rule", () => {
  const group = only(network, "aws_default_security_group", "default-security-group");
  expect([group["ingress"], group["egress"]]).toEqual([undefined, undefined]);
});

test("DynamoDB has no private DNS, KMS has", () => {
  expect(only(network, "aws_vpc_endpoint", "dynamodb-endpoint")).toMatchObject({
    service_name: "com.amazonaws.us-east-1.dynamodb",
    vpc_endpoint_type: "Interface",
    private_dns_enabled: false,
  });
  expect(only(network, "aws_vpc_endpoint", "kms-endpoint")).toMatchObject({
    service_name: "com.amazonaws.us-east-1.kms",
    vpc_endpoint_type: "Interface",
    private_dns_enabled: true,
  });
  expect(only(network, "aws_vpc_endpoint", "s3-endpoint")["vpc_endpoint_type"]).toBe("Gateway");
});

test("each endpoint serves the function roles of this account only", () => {
  for (const id of [
    "cloudtrail-endpoint-policy",
    "dynamodb-endpoint-policy",
    "kms-endpoint-policy",
    "s3-endpoint-policy",
  ]) {
    for (const found of statements(network, id)) {
      expect(found.effect).toBe("Allow");
      expect(conditionOf(found, "aws:PrincipalAccount")?.values).toEqual([
        reference("data.aws_caller_identity.current.account_id"),
      ]);
      expect(lastParts(conditionOf(found, "aws:PrincipalArn")?.values ?? [])).toEqual(
        Object.values(ROLES).map(prodName),
      );
    }
  }
});

test("each endpoint serves named actions on this project's own resources", () => {
  const summary = (id: string, sid: string) => {
    const { actions, resources } = statement(network, id, sid);
    return { actions, resources: lastParts(resources) };
  };
  expect(summary("dynamodb-endpoint-policy", "TablesOfThisProject")).toEqual({
    actions: [
      "dynamodb:ConditionCheckItem",
      "dynamodb:GetItem",
      "dynamodb:PutItem",
      "dynamodb:Query",
      "dynamodb:Scan",
      "dynamodb:UpdateItem",
    ],
    resources: [
      "PaymentLedger",
      "PaymentAuditTrail",
      "payment-audit-trail",
      "payment-transactions-prod",
      "PaymentEvents",
      "by-processor",
      "by-failure",
      "by-transaction",
      "by-actor",
      "by-time",
      "by-review",
    ],
  });
  expect(summary("dynamodb-endpoint-policy", "ExportsOfThisProject").actions).toEqual([
    "dynamodb:DescribeContinuousBackups",
    "dynamodb:DescribeTable",
    "dynamodb:ExportTableToPointInTime",
  ]);
  expect(summary("dynamodb-endpoint-policy", "LogState")).toEqual({
    actions: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
    resources: ["payment-log-state"],
  });
  expect(summary("dynamodb-endpoint-policy", "ScratchTables")).toEqual({
    actions: ["dynamodb:DeleteTable", "dynamodb:DescribeTable", "dynamodb:ImportTable", "dynamodb:Scan"],
    resources: ["scratch-drill-*"],
  });
  expect(statement(network, "dynamodb-endpoint-policy", "FindExports")).toMatchObject({
    actions: ["dynamodb:ListExports"],
    resources: ["*"],
  });
  expect(statement(network, "kms-endpoint-policy", "FieldKeys")).toMatchObject({
    actions: ["kms:Decrypt", "kms:Encrypt"],
    resources: [
      published("security", "aws_kms_key", "token-key", "arn"),
      published("security", "aws_kms_key", "audit-key", "arn"),
    ],
  });
  expect(statement(network, "kms-endpoint-policy", "RecordMacs")).toMatchObject({
    actions: ["kms:GenerateMac"],
    resources: [published("security", "aws_kms_key", "mac-key", "arn")],
  });
  const checkpointKey = published("security", "aws_kms_key", "checkpoint-1-key", "arn");
  expect(statement(network, "kms-endpoint-policy", "SignCheckpoints")).toMatchObject({
    actions: ["kms:Sign"],
    resources: [checkpointKey],
  });
  expect(statement(network, "kms-endpoint-policy", "PublicKeys")).toMatchObject({
    actions: ["kms:GetPublicKey"],
    resources: [checkpointKey],
  });
  const account = reference("data.aws_caller_identity.current.account_id");
  const inBucket = (base: string, ...paths: string[]) =>
    paths.map(
      (path) => `arn:${reference("data.aws_partition.partition.partition")}:s3:::${base}-prod-${account}${path}`,
    );
  const s3 = statements(network, "s3-endpoint-policy").map(({ sid, actions, resources }) => ({
    sid,
    actions,
    resources,
  }));
  expect(s3).toEqual([
    {
      sid: "ReadFiles",
      actions: ["s3:GetObject"],
      resources: inBucket("payment-files", "/payments/*", "/continue/*", "/reports/*"),
    },
    {
      sid: "PaymentFiles",
      actions: ["s3:DeleteObjectVersion", "s3:GetObjectVersion"],
      resources: inBucket("payment-files", "/payments/*"),
    },
    {
      sid: "WriteReports",
      actions: ["s3:PutObject"],
      resources: inBucket("payment-files", "/continue/*", "/reports/*"),
    },
    {
      sid: "ReadExports",
      actions: ["s3:GetObject"],
      resources: inBucket("payment-exports", "/exports/*", "/state/*", "/drills/*"),
    },
    {
      sid: "WriteChecks",
      actions: ["s3:PutObject"],
      resources: inBucket("payment-exports", "/state/*", "/checks/*", "/drills/*"),
    },
    {
      sid: "Evidence",
      actions: ["s3:GetObject", "s3:PutObject"],
      resources: inBucket("payment-evidence", "/log/*"),
    },
    {
      sid: "ReadTrail",
      actions: ["s3:GetObject"],
      resources: inBucket("payment-cloudtrail", `/AWSLogs/${account}/*`),
    },
    {
      sid: "List",
      actions: ["s3:ListBucket"],
      resources: ["payment-files", "payment-exports", "payment-evidence", "payment-cloudtrail"].flatMap((base) =>
        inBucket(base, ""),
      ),
    },
  ]);
});

test("CloudTrail's endpoint is in one zone and lists public keys, nothing else", () => {
  expect(only(network, "aws_vpc_endpoint", "cloudtrail-endpoint")).toMatchObject({
    service_name: "com.amazonaws.us-east-1.cloudtrail",
    private_dns_enabled: true,
    subnet_ids: [reference("aws_subnet.private-subnet-1.id")],
  });
  const all = statements(network, "cloudtrail-endpoint-policy");
  expect(all.map(({ actions, resources }) => [actions, resources])).toEqual([[["cloudtrail:ListPublicKeys"], ["*"]]]);
});

test("flow logs record all traffic into an encrypted group kept over a year", () => {
  expect(only(network, "aws_flow_log", "flow-log")).toMatchObject({
    traffic_type: "ALL",
    log_destination: reference("aws_cloudwatch_log_group.flow-log-group.arn"),
  });
  expect(only(network, "aws_cloudwatch_log_group", "flow-log-group")).toMatchObject({
    kms_key_id: published("security", "aws_kms_key", "logs-key", "arn"),
    retention_in_days: 400,
  });
});

test("prod, whole", () => {
  expect(asJson(network)).toMatchSnapshot();
});

describe("behind a NAT gateway", () => {
  const nat = synthesize(configOf("prod", { connectivity: "nat" })).stacks.network;

  test("the stack holds these resources and no others", () => {
    expect(resourceCounts(nat)).toEqual([
      "aws_cloudwatch_log_group: 1",
      "aws_default_security_group: 1",
      "aws_eip: 1",
      "aws_flow_log: 1",
      "aws_iam_role: 1",
      "aws_iam_role_policy: 1",
      "aws_internet_gateway: 1",
      "aws_nat_gateway: 1",
      "aws_route: 2",
      "aws_route_table: 2",
      "aws_route_table_association: 4",
      "aws_security_group: 1",
      "aws_subnet: 4",
      "aws_vpc: 1",
      "aws_vpc_endpoint: 2",
      "aws_vpc_security_group_egress_rule: 1",
      "data.aws_caller_identity: 1",
      "data.aws_iam_policy_document: 4",
      "data.aws_partition: 1",
      "data.terraform_remote_state: 1",
    ]);
  });

  test("the gateway is in a public subnet of the first zone, in which nothing gets a public address", () => {
    expect(only(nat, "aws_subnet", "public-subnet-1")).toMatchObject({
      cidr_block: "10.0.11.0/24",
      availability_zone: "us-east-1a",
      map_public_ip_on_launch: false,
      tags: { Name: "payment-public-subnet-1-prod" },
    });
    expect(only(nat, "aws_nat_gateway", "nat-gateway")).toMatchObject({
      subnet_id: reference("aws_subnet.public-subnet-1.id"),
      allocation_id: reference("aws_eip.nat-address.allocation_id"),
    });
  });

  test("private subnets lead to the gateway, the public one to the internet", () => {
    expect(nat.resource["aws_route"]).toEqual({
      "private-default-route": {
        route_table_id: reference("aws_route_table.private-routes.id"),
        destination_cidr_block: "0.0.0.0/0",
        nat_gateway_id: reference("aws_nat_gateway.nat-gateway.id"),
      },
      "public-default-route": {
        route_table_id: reference("aws_route_table.public-routes.id"),
        destination_cidr_block: "0.0.0.0/0",
        gateway_id: reference("aws_internet_gateway.internet-gateway.id"),
      },
    });
    const associations = Object.values(nat.resource["aws_route_table_association"] ?? {});
    expect(associations.map((each) => [each["subnet_id"], each["route_table_id"]])).toEqual([
      ...[1, 2, 3].map((i) => [
        reference(`aws_subnet.private-subnet-${i}.id`),
        reference("aws_route_table.private-routes.id"),
      ]),
      [reference("aws_subnet.public-subnet-1.id"), reference("aws_route_table.public-routes.id")],
    ]);
  });

  test("DynamoDB and S3 stay off the gateway by endpoints with the same policies", () => {
    const endpoints = Object.values(nat.resource["aws_vpc_endpoint"] ?? {});
    expect(endpoints.map((each) => [each["service_name"], each["vpc_endpoint_type"], each["route_table_ids"]])).toEqual(
      ["dynamodb", "s3"].map((name) => [
        `com.amazonaws.us-east-1.${name}`,
        "Gateway",
        [reference("aws_route_table.private-routes.id")],
      ]),
    );
    for (const id of ["s3-endpoint-policy", "dynamodb-endpoint-policy"]) {
      expect(statements(nat, id)).toEqual(statements(network, id));
    }
  });

  test("the functions send HTTPS and nothing else, and nothing reaches them", () => {
    expect(nat.resource["aws_vpc_security_group_ingress_rule"]).toBeUndefined();
    expect(nat.resource["aws_vpc_security_group_egress_rule"]).toEqual({
      "functions-to-aws": {
        security_group_id: reference("aws_security_group.function-security-group.id"),
        ip_protocol: "tcp",
        from_port: 443,
        to_port: 443,
        cidr_ipv4: "0.0.0.0/0",
        description: "HTTPS from the functions to AWS",
      },
    });
  });

  test("prod, whole", () => {
    expect(asJson(nat)).toMatchSnapshot();
  });
});

describe("behind a NAT gateway, with PrivateLink to DynamoDB", () => {
  const nat = synthesize(configOf("prod", { connectivity: "nat" })).stacks.network;
  const both = synthesize(configOf("prod", { connectivity: "nat-privatelink" })).stacks.network;

  test("DynamoDB has the interface endpoint and policy of PrivateLink, and no gateway endpoint beside it", () => {
    expect(only(both, "aws_vpc_endpoint", "dynamodb-endpoint")).toEqual(
      only(network, "aws_vpc_endpoint", "dynamodb-endpoint"),
    );
    expect(statements(both, "dynamodb-endpoint-policy")).toEqual(statements(network, "dynamodb-endpoint-policy"));
    expect(Object.keys(both.resource["aws_vpc_endpoint"] ?? {}).sort()).toEqual(["dynamodb-endpoint", "s3-endpoint"]);
  });

  test("the functions alone reach the endpoint, on 443", () => {
    for (const id of ["endpoint-security-group", "function-security-group"]) {
      expect(only(both, "aws_security_group", id)).toEqual(only(network, "aws_security_group", id));
    }
    expect(both.resource["aws_vpc_security_group_ingress_rule"]).toEqual(
      network.resource["aws_vpc_security_group_ingress_rule"],
    );
    expect(both.resource["aws_vpc_security_group_egress_rule"]).toEqual(
      nat.resource["aws_vpc_security_group_egress_rule"],
    );
  });

  test("its host is published to the functions as with PrivateLink", () => {
    const host = "cross-stack-output-aws_vpc_endpointdynamodb-endpointdns_entry0dns_name";
    expect(both.output[host]).toEqual(network.output[host]);
    expect(both.output[host]).toBeDefined();
  });

  test("what it has otherwise than with a NAT gateway alone", () => {
    expect(asJson(differences(JSON.parse(JSON.stringify(nat)), JSON.parse(JSON.stringify(both))))).toMatchSnapshot();
  });
});

test("what dev has otherwise", () => {
  expect(asJson(differences(JSON.parse(JSON.stringify(network)), JSON.parse(JSON.stringify(dev))))).toMatchSnapshot();
});
