/**
 * CloudTrail: every management event of the account, and every access to this project's data and functions. It has no copy in
 * CloudWatch Logs: the rules of `guards.ts` report urgent calls, and everything else is in its files.
 */

import {
  Cloudtrail,
  type CloudtrailAdvancedEventSelector,
  type CloudtrailAdvancedEventSelectorFieldSelector,
} from "@cdktf/provider-aws/lib/cloudtrail";
import type { Construct } from "constructs";
import type { Bucket } from "./bucket";
import { equals, type Statement, service } from "./policy";

export interface TrailProps {
  readonly name: string;
  readonly arn: string;
  readonly kmsKeyArn: string;
  readonly bucket: Bucket;
  /** What data events are recorded of. */
  readonly watched: {
    readonly tableArns: string[];
    /** What the ARNs of restored tables begin with. */
    readonly scratchTables: string;
    /** Queues that no function reads. */
    readonly waitingQueueArns: string[];
    readonly bucketArns: string[];
    readonly functionArns: string[];
  };
}

export function addTrail(scope: Construct, props: TrailProps): Cloudtrail {
  const trail = new Cloudtrail(scope, "trail", {
    name: props.name,
    s3BucketName: props.bucket.resource.id,
    kmsKeyId: props.kmsKeyArn,
    isMultiRegionTrail: true,
    includeGlobalServiceEvents: true,
    enableLogging: true,
    enableLogFileValidation: true,
    advancedEventSelector: selectors(props),
    tags: { Name: props.name },
    // CloudTrail tries the bucket before it accepts it.
    dependsOn: [props.bucket.policy],
  });
  trail.overrideLogicalId("trail");
  return trail;
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
    data("Items of restored tables", "AWS::DynamoDB::Table", {
      field: "resources.ARN",
      startsWith: [watched.scratchTables],
    }),
    // Nobody reads a stream without an iterator. The reads themselves are four a second and shard by the sealer alone.
    data(
      "Who reads the streams",
      "AWS::DynamoDB::Stream",
      { field: "resources.ARN", startsWith: watched.tableArns.map((arn) => `${arn}/stream/`) },
      is("eventName", "GetShardIterator"),
    ),
    // The queues that functions read give their messages to nobody else; polling them would fill the trail.
    data("Failed messages", "AWS::SQS::Queue", is("resources.ARN", ...watched.waitingQueueArns)),
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
