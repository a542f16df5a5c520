/**
 * The functions' VPC. With `privatelink` it has no way to the internet: the functions reach DynamoDB, KMS and CloudTrail through
 * interface endpoints, S3 through a gateway endpoint, and nothing else. With `nat` they reach DynamoDB through a gateway
 * endpoint and KMS through a NAT gateway. `nat-privatelink` is `nat` with the interface endpoint of DynamoDB.
 */

import { DefaultSecurityGroup } from "@cdktf/provider-aws/lib/default-security-group";
import { FlowLog } from "@cdktf/provider-aws/lib/flow-log";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { RouteTable } from "@cdktf/provider-aws/lib/route-table";
import { RouteTableAssociation } from "@cdktf/provider-aws/lib/route-table-association";
import { SecurityGroup } from "@cdktf/provider-aws/lib/security-group";
import { Subnet } from "@cdktf/provider-aws/lib/subnet";
import { Vpc } from "@cdktf/provider-aws/lib/vpc";
import { VpcEndpoint } from "@cdktf/provider-aws/lib/vpc-endpoint";
import { VpcSecurityGroupEgressRule } from "@cdktf/provider-aws/lib/vpc-security-group-egress-rule";
import { VpcSecurityGroupIngressRule } from "@cdktf/provider-aws/lib/vpc-security-group-ingress-rule";
import { TerraformOutput } from "cdktf";
import type { Construct } from "constructs";
import { DRILL_TABLE_PREFIX, PIECES_PREFIXES, TABLES, type TableId } from "../contract";
import { BaseStack } from "./base-stack";
import { processingName } from "./config/names";
import type { AppConfig } from "./config/types";
import { addLogGroup } from "./constructs/log-group";
import { addNatGateway } from "./constructs/nat-gateway";
import { arnEquals, assumedBy, equals, policy, type Statement } from "./constructs/policy";
import type { NetworkOutputs, SecurityOutputs } from "./contracts";
import { type EndpointArns, EndpointPolicies } from "./endpoint-policies";

const HTTPS = { ipProtocol: "tcp", fromPort: 443, toPort: 443 } as const;

const GROUPS = {
  // Named as in its document.
  function: { base: "payment-lambda-sg", description: "Payment functions" },
  endpoint: { base: "payment-endpoint-sg", description: "Interface endpoints of the payment functions" },
  "api-endpoint": { base: "payment-api-endpoint-sg", description: "Endpoint of the private API" },
} as const;

/** What every layout has. */
interface Parts {
  readonly vpc: Vpc;
  readonly subnets: Subnet[];
  readonly functions: SecurityGroup;
  readonly routes: RouteTable;
}

export class NetworkStack extends BaseStack {
  readonly outputs: NetworkOutputs;
  private readonly policies: EndpointPolicies;

  constructor(
    scope: Construct,
    id: string,
    config: AppConfig,
    private readonly security: SecurityOutputs,
  ) {
    super(scope, id, config);
    this.policies = new EndpointPolicies(this.endpointArns());
    const vpc = this.addVpc();
    const subnets = this.addSubnets(vpc);
    const functions = this.addGroup("function", vpc);
    const routes = this.addRouteTable(vpc, subnets);
    const dynamodbEndpointHost = this.connect({ vpc, subnets, functions, routes });
    this.addFlowLog(vpc);
    this.outputs = {
      privateSubnetIds: subnets.map((subnet) => subnet.id),
      functionSecurityGroupId: functions.id,
      dynamodbEndpointHost,
      apiEndpointId: config.privateApi.state === "on" ? this.addApiEndpoint(vpc, subnets).id : null,
    };
    new TerraformOutput(this, "VPCId", { description: "VPC of the functions", value: vpc.id });
  }

  /** What leads from the functions to AWS. Gives the host of DynamoDB's interface endpoint, where there is one. */
  private connect(parts: Parts): string | null {
    const s3 = this.addGatewayEndpoint("s3", this.policies.s3(), parts);
    switch (this.config.connectivity) {
      case "privatelink": {
        const endpoints = this.addEndpointGroup(parts);
        this.addEgressToEndpoints(parts.functions, endpoints, s3);
        const host = this.addDynamodbPrivateLink(parts, endpoints);
        this.addInterfaceEndpoint("kms", true, this.policies.kms(), parts, endpoints);
        // It is asked once a day, and a day without it is attested on the next: one zone is enough.
        const oneZone = { ...parts, subnets: parts.subnets.slice(0, 1) };
        this.addInterfaceEndpoint("cloudtrail", true, this.policies.cloudtrail(), oneZone, endpoints);
        return host;
      }
      case "nat":
        this.addNat(parts);
        this.addGatewayEndpoint("dynamodb", this.policies.dynamodb(), parts);
        return null;
      case "nat-privatelink":
        this.addNat(parts);
        return this.addDynamodbPrivateLink(parts, this.addEndpointGroup(parts));
    }
  }

  /** Through which callers reach the private API; the functions stack gives it its policy, because only that knows the API. */
  private addApiEndpoint(vpc: Vpc, subnets: Subnet[]): VpcEndpoint {
    const group = this.addGroup("api-endpoint", vpc);
    const { vpcCidr, privateApi, region } = this.config;
    for (const cidrIpv4 of [vpcCidr, ...privateApi.callerCidrs]) {
      new VpcSecurityGroupIngressRule(this, `api-from-${cidrIpv4.replace(/[./]/g, "-")}`, {
        ...HTTPS,
        securityGroupId: group.id,
        cidrIpv4,
        description: "HTTPS to the private API from its callers",
      });
    }
    return new VpcEndpoint(this, "api-endpoint", {
      vpcId: vpc.id,
      vpcEndpointType: "Interface",
      serviceName: `com.amazonaws.${region}.execute-api`,
      // Its callers use the name that the functions stack gives out. So other APIs stay reachable under their own names.
      privateDnsEnabled: false,
      subnetIds: subnets.map((subnet) => subnet.id),
      securityGroupIds: [group.id],
      ...this.named("payment-api-endpoint"),
    });
  }

  /** PrivateLink to DynamoDB has no private DNS: the functions use the endpoint's own host, which this returns. */
  private addDynamodbPrivateLink(parts: Parts, endpoints: SecurityGroup): string {
    const dynamodb = this.addInterfaceEndpoint("dynamodb", false, this.policies.dynamodb(), parts, endpoints);
    // The first entry is the endpoint's own regional name; the rest are one for each zone.
    return dynamodb.dnsEntry.get(0).dnsName;
  }

  /** A NAT gateway in a public subnet. What has an endpoint stays off it. */
  private addNat({ vpc, routes, functions }: Parts): void {
    addNatGateway(this, {
      vpcId: vpc.id,
      publicSubnetCidr: this.config.publicSubnetCidr,
      availabilityZone: `${this.config.region}${this.config.availabilityZones[0]}`,
      privateRouteTableId: routes.id,
      named: (base) => this.named(base),
    });
    new VpcSecurityGroupEgressRule(this, "functions-to-aws", {
      ...HTTPS,
      securityGroupId: functions.id,
      cidrIpv4: "0.0.0.0/0",
      description: "HTTPS from the functions to AWS",
    });
  }

  private named(base: string) {
    return { tags: { Name: processingName(this.config, base) } };
  }

  private addVpc(): Vpc {
    const vpc = new Vpc(this, "vpc", {
      cidrBlock: this.config.vpcCidr,
      enableDnsSupport: true,
      // Private DNS of the KMS endpoint needs it.
      enableDnsHostnames: true,
      tags: { Name: this.names.vpc },
    });
    // Adopted and left without rules: whatever lands in the default group can reach nothing.
    new DefaultSecurityGroup(this, "default-security-group", {
      vpcId: vpc.id,
      ...this.named("payment-default-sg-locked"),
    });
    return vpc;
  }

  private addSubnets(vpc: Vpc): Subnet[] {
    const { region, availabilityZones, privateSubnetCidrs } = this.config;
    return privateSubnetCidrs.map((cidrBlock, i) => {
      return new Subnet(this, `private-subnet-${i + 1}`, {
        vpcId: vpc.id,
        cidrBlock,
        availabilityZone: `${region}${availabilityZones[i]}`,
        mapPublicIpOnLaunch: false,
        ...this.named(`payment-private-subnet-${i + 1}`),
      });
    });
  }

  /** Has no route in this code: gateway endpoints add their prefix lists. Without a NAT gateway there is no route to the internet. */
  private addRouteTable(vpc: Vpc, subnets: Subnet[]): RouteTable {
    const table = new RouteTable(this, "private-routes", { vpcId: vpc.id, ...this.named("payment-private-rt") });
    subnets.forEach((subnet, i) => {
      new RouteTableAssociation(this, `private-routes-${i + 1}`, { routeTableId: table.id, subnetId: subnet.id });
    });
    return table;
  }

  private addGroup(whose: keyof typeof GROUPS, vpc: Vpc): SecurityGroup {
    const { base, description } = GROUPS[whose];
    return new SecurityGroup(this, `${whose}-security-group`, {
      name: processingName(this.config, base),
      description,
      vpcId: vpc.id,
      ...this.named(base),
    });
  }

  /** The interface endpoints' group, which only the functions reach. */
  private addEndpointGroup({ vpc, functions }: Parts): SecurityGroup {
    const endpoints = this.addGroup("endpoint", vpc);
    new VpcSecurityGroupIngressRule(this, "endpoints-from-functions", {
      ...HTTPS,
      securityGroupId: endpoints.id,
      referencedSecurityGroupId: functions.id,
      description: "HTTPS to the endpoints from the functions only",
    });
    return endpoints;
  }

  private addEgressToEndpoints(functions: SecurityGroup, endpoints: SecurityGroup, s3: VpcEndpoint): void {
    new VpcSecurityGroupEgressRule(this, "functions-to-endpoints", {
      ...HTTPS,
      securityGroupId: functions.id,
      referencedSecurityGroupId: endpoints.id,
      description: "HTTPS from the functions to the interface endpoints",
    });
    new VpcSecurityGroupEgressRule(this, "functions-to-s3", {
      ...HTTPS,
      securityGroupId: functions.id,
      prefixListId: s3.prefixListId,
      description: "HTTPS from the functions to S3 through the gateway endpoint",
    });
  }

  private addGatewayEndpoint(serviceId: "dynamodb" | "s3", statements: Statement[], { vpc, routes }: Parts) {
    return new VpcEndpoint(this, `${serviceId}-endpoint`, {
      vpcId: vpc.id,
      vpcEndpointType: "Gateway",
      serviceName: `com.amazonaws.${this.config.region}.${serviceId}`,
      routeTableIds: [routes.id],
      policy: policy(this, `${serviceId}-endpoint-policy`, statements),
      ...this.named(`payment-${serviceId}-endpoint`),
    });
  }

  private addInterfaceEndpoint(
    serviceId: "cloudtrail" | "dynamodb" | "kms",
    privateDnsEnabled: boolean,
    statements: Statement[],
    { vpc, subnets }: Parts,
    group: SecurityGroup,
  ): VpcEndpoint {
    return new VpcEndpoint(this, `${serviceId}-endpoint`, {
      vpcId: vpc.id,
      vpcEndpointType: "Interface",
      serviceName: `com.amazonaws.${this.config.region}.${serviceId}`,
      privateDnsEnabled,
      subnetIds: subnets.map((subnet) => subnet.id),
      securityGroupIds: [group.id],
      policy: policy(this, `${serviceId}-endpoint-policy`, statements),
      ...this.named(`payment-${serviceId}-endpoint`),
    });
  }

  private endpointArns(): EndpointArns {
    const { tokenKeyArn, auditKeyArn, macKeyArn, checkpointKeyArns, retiredCheckpointKeyArns } = this.security;
    return {
      tableArns: this.allTableArns(),
      indexArns: (Object.keys(TABLES) as TableId[]).flatMap((table) => this.indexArns(table)),
      filesArn: this.bucketArn("files"),
      exportsArn: this.bucketArn("exports"),
      piecePrefixes: this.piecedChecks.map((check) => PIECES_PREFIXES[check]),
      evidenceArn: this.bucketArn("evidence"),
      trailBucketArn: this.bucketArn("trail"),
      trailFilesArn: this.trailFilesArn(),
      logStateArn: this.logStateTableArn(),
      scratchArn: this.arn("dynamodb", `table/${DRILL_TABLE_PREFIX}*`),
      fieldKeyArns: [tokenKeyArn, auditKeyArn],
      macKeyArn,
      checkpointKeyArns,
      retiredCheckpointKeyArns,
      callers: [equals("aws:PrincipalAccount", this.accountId), arnEquals("aws:PrincipalArn", ...this.allRoleArns())],
    };
  }

  private addFlowLog(vpc: Vpc): void {
    const group = addLogGroup(this, "flow-log-group", {
      name: this.names.flowLogGroup,
      kmsKeyArn: this.security.logsKeyArn,
      retentionDays: this.config.logRetentionDays,
    });
    const role = new IamRole(this, "flow-log-role", {
      name: this.names.flowLogRole,
      description: "Lets the VPC write its flow logs",
      tags: { Name: this.names.flowLogRole },
      assumeRolePolicy: policy(this, "flow-log-trust", [
        assumedBy("vpc-flow-logs.amazonaws.com", this.accountId, "FlowLogsOfThisAccount"),
      ]),
    });
    const access = new IamRolePolicy(this, "flow-log-access", {
      name: "flow-log-access",
      role: role.id,
      policy: policy(this, "flow-log-access-policy", [
        {
          sid: "WriteFlowLogs",
          actions: ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
          resources: [group.arn, `${group.arn}:*`],
        },
        {
          sid: "FindTheGroup",
          actions: ["logs:DescribeLogGroups"],
          resources: [this.arn("logs", "log-group:*")],
        },
      ]),
    });
    new FlowLog(this, "flow-log", {
      vpcId: vpc.id,
      trafficType: "ALL",
      logDestination: group.arn,
      iamRoleArn: role.arn,
      maxAggregationInterval: 60,
      dependsOn: [access],
      ...this.named("payment-flow-logs"),
    });
  }
}
