/**
 * A VPC without any way to the internet: the functions reach DynamoDB and KMS through interface endpoints, S3 through a
 * gateway endpoint, and nothing else.
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
import type { Construct } from "constructs";
import { paymentFilesBucketName, processingName } from "../config/names";
import type { AppConfig } from "../config/types";
import { BaseStack } from "./base-stack";
import { addLogGroup } from "./constructs/log-group";
import { arnEquals, type Condition, EVERYBODY, equals, policy, type Statement, service } from "./constructs/policy";
import type { NetworkOutputs, SecurityOutputs } from "./contracts";

const HTTPS = { ipProtocol: "tcp", fromPort: 443, toPort: 443 } as const;

export class NetworkStack extends BaseStack {
  readonly outputs: NetworkOutputs;

  constructor(
    scope: Construct,
    id: string,
    config: AppConfig,
    private readonly security: SecurityOutputs,
  ) {
    super(scope, id, config);
    const vpc = this.addVpc();
    const subnets = this.addSubnets(vpc);
    const groups = { functions: this.addGroup("function", vpc), endpoints: this.addGroup("endpoint", vpc) };
    const routes = this.addRouteTable(vpc, subnets);
    const s3 = this.addS3Endpoint(vpc, routes);
    this.addRules(groups.functions, groups.endpoints, s3);
    const dynamodb = this.addInterfaceEndpoint(
      "dynamodb",
      false,
      this.dynamodbStatements(),
      vpc,
      subnets,
      groups.endpoints,
    );
    this.addInterfaceEndpoint("kms", true, this.kmsStatements(), vpc, subnets, groups.endpoints);
    this.addFlowLog(vpc);
    this.outputs = {
      privateSubnetIds: subnets.map((subnet) => subnet.id),
      functionSecurityGroupId: groups.functions.id,
      // The first entry is the endpoint's own regional name; the rest are one for each zone.
      dynamodbEndpointHost: dynamodb.dnsEntry.get(0).dnsName,
    };
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

  /** One table without a route of its own: the S3 endpoint adds its prefix list, and nothing leads out. */
  private addRouteTable(vpc: Vpc, subnets: Subnet[]): RouteTable {
    const table = new RouteTable(this, "private-routes", { vpcId: vpc.id, ...this.named("payment-private-rt") });
    subnets.forEach((subnet, i) => {
      new RouteTableAssociation(this, `private-routes-${i + 1}`, { routeTableId: table.id, subnetId: subnet.id });
    });
    return table;
  }

  private addGroup(whose: "function" | "endpoint", vpc: Vpc): SecurityGroup {
    return new SecurityGroup(this, `${whose}-security-group`, {
      name: processingName(this.config, `payment-${whose}-sg`),
      description: whose === "function" ? "Payment functions" : "Interface endpoints of the payment functions",
      vpcId: vpc.id,
      ...this.named(`payment-${whose}-sg`),
    });
  }

  private addRules(functions: SecurityGroup, endpoints: SecurityGroup, s3: VpcEndpoint): void {
    new VpcSecurityGroupEgressRule(this, "functions-to-endpoints", {
      ...HTTPS,
      securityGroupId: functions.id,
      referencedSecurityGroupId: endpoints.id,
      description: "HTTPS from the functions to the DynamoDB and KMS endpoints",
    });
    new VpcSecurityGroupEgressRule(this, "functions-to-s3", {
      ...HTTPS,
      securityGroupId: functions.id,
      prefixListId: s3.prefixListId,
      description: "HTTPS from the functions to S3 through the gateway endpoint",
    });
    new VpcSecurityGroupIngressRule(this, "endpoints-from-functions", {
      ...HTTPS,
      securityGroupId: endpoints.id,
      referencedSecurityGroupId: functions.id,
      description: "HTTPS to the endpoints from the functions only",
    });
  }

  private addS3Endpoint(vpc: Vpc, routes: RouteTable): VpcEndpoint {
    const bucketArn = `arn:${this.partition}:s3:::${paymentFilesBucketName(this.config, this.accountId)}`;
    const conditions = this.functionRoles();
    return new VpcEndpoint(this, "s3-endpoint", {
      vpcId: vpc.id,
      vpcEndpointType: "Gateway",
      serviceName: `com.amazonaws.${this.config.region}.s3`,
      routeTableIds: [routes.id],
      policy: policy(this, "s3-endpoint-policy", [
        {
          sid: "PaymentFiles",
          principals: EVERYBODY,
          actions: ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
          resources: [`${bucketArn}/*`],
          conditions,
        },
        {
          sid: "PaymentFilesList",
          principals: EVERYBODY,
          actions: ["s3:ListBucket"],
          resources: [bucketArn],
          conditions,
        },
      ]),
      ...this.named("payment-s3-endpoint"),
    });
  }

  private addInterfaceEndpoint(
    serviceId: "dynamodb" | "kms",
    privateDnsEnabled: boolean,
    statements: Statement[],
    vpc: Vpc,
    subnets: Subnet[],
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

  /**
   * An endpoint policy names its callers by condition: as principals, `arn:...:root` would mean the root user alone, and
   * gateway endpoints accept no role at all.
   */
  private functionRoles(): Condition[] {
    return [equals("aws:PrincipalAccount", this.accountId), arnEquals("aws:PrincipalArn", ...this.allRoleArns())];
  }

  private dynamodbStatements(): Statement[] {
    return [
      {
        sid: "TablesOfThisProject",
        principals: EVERYBODY,
        actions: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:UpdateItem"],
        resources: (["paymentLedger", "paymentAuditTrail"] as const).flatMap((table) => [
          this.tableArn(table),
          ...this.indexArns(table),
        ]),
        conditions: this.functionRoles(),
      },
    ];
  }

  private kmsStatements(): Statement[] {
    const { tokenKeyArn, auditKeyArn, macKeyArn } = this.security;
    const conditions = this.functionRoles();
    return [
      {
        sid: "FieldKeys",
        principals: EVERYBODY,
        actions: ["kms:Decrypt", "kms:Encrypt"],
        resources: [tokenKeyArn, auditKeyArn],
        conditions,
      },
      { sid: "RecordMacs", principals: EVERYBODY, actions: ["kms:GenerateMac"], resources: [macKeyArn], conditions },
    ];
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
      assumeRolePolicy: policy(this, "flow-log-trust", [
        {
          sid: "FlowLogsOfThisAccount",
          principals: service("vpc-flow-logs.amazonaws.com"),
          actions: ["sts:AssumeRole"],
          resources: [],
          conditions: [equals("aws:SourceAccount", this.accountId)],
        },
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
