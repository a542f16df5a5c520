/**
 * What Lambda itself does in the role of every function: its network interfaces and its traces. The roles have it from the security
 * stack, which is destroyed last: Lambda gives the interfaces back in the role's name, minutes after the function is gone.
 */

import { arnEquals, type Statement } from "./constructs/policy";

/** Patterns. */
export interface NetworkInterfaceArns {
  readonly existing: string[];
  /** With what a new one is made of. */
  readonly made: string[];
}

export function platformStatements(networkInterfaceArns: NetworkInterfaceArns): Statement[] {
  return [
    {
      sid: "Traces",
      actions: ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
      // X-Ray has no resource to name.
      resources: ["*"],
    },
    {
      sid: "NetworkInterfaces",
      actions: ["ec2:AssignPrivateIpAddresses", "ec2:DeleteNetworkInterface", "ec2:UnassignPrivateIpAddresses"],
      resources: networkInterfaceArns.existing,
    },
    {
      sid: "NewNetworkInterfaces",
      actions: ["ec2:CreateNetworkInterface"],
      resources: networkInterfaceArns.made,
    },
    {
      sid: "DescribeNetwork",
      actions: ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"],
      // EC2 allows describing on all resources or on none.
      resources: ["*"],
    },
  ];
}

/** The same for a boundary, in fewer statements: IAM bounds a managed policy's length, and the roles' own policies are exact. */
export function platformBoundary({ made }: NetworkInterfaceArns): Statement[] {
  const exact = platformStatements({ existing: made, made });
  const interfaces = exact.filter(({ sid }) => sid.endsWith("NetworkInterfaces"));
  return [
    ...exact.filter((statement) => !interfaces.includes(statement)),
    { sid: "NetworkInterfaces", actions: interfaces.flatMap(({ actions }) => actions).sort(), resources: made },
  ];
}

/** Network interfaces are Lambda's to manage. With this key in the request, it is the function's code that asks. */
export function notByTheCodeItself(functionArns: readonly string[]): Statement {
  return {
    sid: "NotByTheCodeItself",
    effect: "Deny",
    actions: [
      "ec2:AssignPrivateIpAddresses",
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSubnets",
      "ec2:DetachNetworkInterface",
      "ec2:UnassignPrivateIpAddresses",
    ],
    resources: ["*"],
    conditions: [arnEquals("lambda:SourceFunctionArn", ...functionArns)],
  };
}
