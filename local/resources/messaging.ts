import { CreateTopicCommand, SetTopicAttributesCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  type QueueAttributeName,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { Arguments } from "./arguments";
import { type Create, type CreateByType, present } from "./context";

/** Terraform's argument and the attribute that SQS calls the same thing; SQS takes every value as text. */
const QUEUE_ATTRIBUTES = {
  fifo_queue: "FifoQueue",
  content_based_deduplication: "ContentBasedDeduplication",
  deduplication_scope: "DeduplicationScope",
  fifo_throughput_limit: "FifoThroughputLimit",
  kms_master_key_id: "KmsMasterKeyId",
  kms_data_key_reuse_period_seconds: "KmsDataKeyReusePeriodSeconds",
  sqs_managed_sse_enabled: "SqsManagedSseEnabled",
  message_retention_seconds: "MessageRetentionPeriod",
  visibility_timeout_seconds: "VisibilityTimeout",
  receive_wait_time_seconds: "ReceiveMessageWaitTimeSeconds",
  delay_seconds: "DelaySeconds",
  max_message_size: "MaximumMessageSize",
  redrive_policy: "RedrivePolicy",
  redrive_allow_policy: "RedriveAllowPolicy",
  policy: "Policy",
} as const satisfies Record<string, QueueAttributeName>;

export const MESSAGING: CreateByType = {
  aws_sqs_queue: async (args, context) => {
    args.withoutEffect("tags", "timeouts");
    const sqs = context.client(SQSClient);
    const name = args.text("name");
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: queueAttributes(args) }));
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
    const url = present(QueueUrl, "QueueUrl");
    return { id: url, url, arn: present(Attributes?.["QueueArn"], "QueueArn") };
  },
  aws_sqs_queue_policy: setQueueAttribute("policy"),
  aws_sqs_queue_redrive_policy: setQueueAttribute("redrive_policy"),
  aws_sqs_queue_redrive_allow_policy: setQueueAttribute("redrive_allow_policy"),

  aws_sns_topic: async (args, context) => {
    args.withoutEffect("tags");
    const key = args.optionalText("kms_master_key_id");
    const fifo = args.flag("fifo_topic");
    const policy = args.optionalText("policy");
    const { TopicArn } = await context.client(SNSClient).send(
      new CreateTopicCommand({
        Name: args.text("name"),
        Attributes: {
          ...(key !== undefined && { KmsMasterKeyId: key }),
          ...(fifo !== undefined && { FifoTopic: String(fifo) }),
          ...(policy !== undefined && { Policy: policy }),
        },
      }),
    );
    const arn = present(TopicArn, "TopicArn");
    return { id: arn, arn };
  },

  aws_sns_topic_policy: async (args, context) => {
    const arn = args.text("arn");
    await context
      .client(SNSClient)
      .send(
        new SetTopicAttributesCommand({ TopicArn: arn, AttributeName: "Policy", AttributeValue: args.text("policy") }),
      );
    return { id: arn };
  },

  aws_sns_topic_subscription: async (args, context) => {
    const { SubscriptionArn } = await context.client(SNSClient).send(
      new SubscribeCommand({
        TopicArn: args.text("topic_arn"),
        Protocol: args.text("protocol"),
        Endpoint: args.text("endpoint"),
        ReturnSubscriptionArn: true,
      }),
    );
    return { id: SubscriptionArn ?? "", arn: SubscriptionArn ?? "" };
  },
};

function queueAttributes(args: Arguments): Partial<Record<QueueAttributeName, string>> {
  const entries = Object.entries(QUEUE_ATTRIBUTES).flatMap(([argument, attribute]) => {
    args.withoutEffect(argument);
    const value = args.values[argument];
    return value === undefined || value === null ? [] : [[attribute, String(value)] as const];
  });
  return Object.fromEntries(entries);
}

function setQueueAttribute(argument: "policy" | "redrive_policy" | "redrive_allow_policy"): Create {
  return async (args, context) => {
    const url = args.text("queue_url");
    await context.client(SQSClient).send(
      new SetQueueAttributesCommand({
        QueueUrl: url,
        Attributes: { [QUEUE_ATTRIBUTES[argument]]: args.text(argument) },
      }),
    );
    return { id: url };
  };
}
