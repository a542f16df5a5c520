/** CloudTrail: every management event of the account, and every touch of this project's data and functions. */

import {
  Cloudtrail,
  type CloudtrailAdvancedEventSelector,
  type CloudtrailAdvancedEventSelectorFieldSelector,
} from "@cdktf/provider-aws/lib/cloudtrail";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import type { Construct } from "constructs";
import type { Bucket } from "./bucket";
import { addLogGroup, type LogGroupProps } from "./log-group";
import { equals, policy, type Statement, service } from "./policy";

export interface TrailProps {
  readonly name: string;
  readonly arn: string;
  readonly kmsKeyArn: string;
  readonly bucket: Bucket;
  readonly logGroup: LogGroupProps;
  readonly logRoleName: string;
  readonly accountId: string;
  readonly region: string;
  /** What data events are recorded of. */
  readonly watched: {
    readonly tableArns: string[];
    readonly bucketArns: string[];
    readonly functionArns: string[];
  };
}

export function addTrail(scope: Construct, props: TrailProps): Cloudtrail {
  const logs = addLogDelivery(scope, props);
  const trail = new Cloudtrail(scope, "trail", {
    name: props.name,
    s3BucketName: props.bucket.resource.id,
    kmsKeyId: props.kmsKeyArn,
    isMultiRegionTrail: true,
    includeGlobalServiceEvents: true,
    enableLogging: true,
    enableLogFileValidation: true,
    cloudWatchLogsGroupArn: `${logs.groupArn}:*`,
    cloudWatchLogsRoleArn: logs.role.arn,
    advancedEventSelector: selectors(props),
    tags: { Name: props.name },
    // CloudTrail tries both before it accepts them.
    dependsOn: [props.bucket.policy, logs.access],
  });
  trail.overrideLogicalId("trail");
  return trail;
}

function addLogDelivery(scope: Construct, { logGroup, logRoleName, accountId, region, arn }: TrailProps) {
  const group = addLogGroup(scope, "trail-logs", logGroup);
  const role = new IamRole(scope, "trail-role", {
    name: logRoleName,
    description: "Lets CloudTrail write to its log group",
    tags: { Name: logRoleName },
    assumeRolePolicy: policy(scope, "trail-trust", [
      {
        sid: "ThisTrail",
        principals: service("cloudtrail.amazonaws.com"),
        actions: ["sts:AssumeRole"],
        resources: [],
        conditions: [equals("aws:SourceArn", arn)],
      },
    ]),
  });
  const access = new IamRolePolicy(scope, "trail-access", {
    name: "trail-access",
    role: role.id,
    policy: policy(scope, "trail-access-policy", [
      {
        sid: "WriteTrail",
        actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
        resources: [`${group.arn}:log-stream:${accountId}_CloudTrail_${region}*`],
      },
    ]),
  });
  return { groupArn: group.arn, role, access };
}

/** Of data, exactly what is this project's; a selector without its ARNs would record, and charge for, the whole account. */
function selectors({ watched, bucket }: TrailProps): CloudtrailAdvancedEventSelector[] {
  const is = (field: string, ...values: string[]) => ({ field, equalTo: values });
  const data = (name: string, type: string, ...rest: CloudtrailAdvancedEventSelectorFieldSelector[]) => ({
    name,
    fieldSelector: [is("eventCategory", "Data"), is("resources.type", type), ...rest],
  });
  const objectsOf = (arns: string[]) => ({ field: "resources.ARN", startsWith: arns.map((arn) => `${arn}/`) });
  return [
    { name: "Management events", fieldSelector: [is("eventCategory", "Management")] },
    data("Items of the tables", "AWS::DynamoDB::Table", is("resources.ARN", ...watched.tableArns)),
    data("Objects of the buckets", "AWS::S3::Object", objectsOf(watched.bucketArns)),
    data("Calls of the functions", "AWS::Lambda::Function", is("resources.ARN", ...watched.functionArns)),
    // Reading only: a record of each write would itself be a write.
    data("Who reads the trail", "AWS::S3::Object", objectsOf([bucket.resource.arn]), is("readOnly", "true")),
  ];
}

/** What CloudTrail needs of its bucket, for this trail alone. */
export function trailBucketStatements(bucketArn: string, trailArn: string, accountId: string): Statement[] {
  const cloudTrail = service("cloudtrail.amazonaws.com");
  return [
    {
      sid: "CloudTrailChecks",
      principals: cloudTrail,
      actions: ["s3:GetBucketAcl"],
      resources: [bucketArn],
      conditions: [equals("aws:SourceArn", trailArn)],
    },
    {
      sid: "CloudTrailWrites",
      principals: cloudTrail,
      actions: ["s3:PutObject"],
      resources: [`${bucketArn}/AWSLogs/${accountId}/*`],
      conditions: [equals("aws:SourceArn", trailArn), equals("s3:x-amz-acl", "bucket-owner-full-control")],
    },
  ];
}
