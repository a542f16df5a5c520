/** A log group that exists before its writer, so that it never lacks its key or its retention. */

import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import type { Construct } from "constructs";

export interface LogGroupProps {
  readonly name: string;
  readonly kmsKeyArn: string;
  readonly retentionDays: number;
}

export function addLogGroup(scope: Construct, id: string, props: LogGroupProps): CloudwatchLogGroup {
  return new CloudwatchLogGroup(scope, id, {
    name: props.name,
    kmsKeyId: props.kmsKeyArn,
    retentionInDays: props.retentionDays,
  });
}
