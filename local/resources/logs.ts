import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  PutRetentionPolicyCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { arn, type CreateByType } from "./context";

export const LOGS: CreateByType = {
  aws_cloudwatch_log_group: async (args, context) => {
    args.withoutEffect("tags", "skip_destroy", "log_group_class", "deletion_protection_enabled");
    const logs = context.client(CloudWatchLogsClient);
    const name = args.text("name");
    await logs.send(new CreateLogGroupCommand({ logGroupName: name, kmsKeyId: args.optionalText("kms_key_id") }));
    const days = args.number("retention_in_days");
    if (days) await logs.send(new PutRetentionPolicyCommand({ logGroupName: name, retentionInDays: days }));
    return { id: name, arn: arn(context, "logs", `log-group:${name}`) };
  },
};
