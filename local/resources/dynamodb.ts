import {
  type BillingMode,
  CreateTableCommand,
  type CreateTableCommandInput,
  DynamoDBClient,
  type GlobalSecondaryIndex,
  type KeySchemaElement,
  type ProjectionType,
  PutResourcePolicyCommand,
  type ScalarAttributeType,
  type StreamViewType,
  type TableClass,
  UpdateContinuousBackupsCommand,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import type { Arguments } from "./arguments";
import { type CreateByType, present } from "./context";

const ACTIVE_TIMEOUT_SECONDS = 120;

export const DYNAMODB: CreateByType = {
  aws_dynamodb_table: async (args, context) => {
    args.withoutEffect("tags", "timeouts");
    const client = context.client(DynamoDBClient);
    const name = args.text("name");
    const { TableDescription } = await client.send(new CreateTableCommand(tableInput(name, args)));
    await waitUntilTableExists({ client, maxWaitTime: ACTIVE_TIMEOUT_SECONDS, minDelay: 0.05 }, { TableName: name });
    await switchOnBackups(client, name, args.block("point_in_time_recovery"));
    await switchOnExpiry(client, name, args.block("ttl"));
    return {
      id: name,
      arn: present(TableDescription?.TableArn, "TableDescription.TableArn"),
      stream_arn: TableDescription?.LatestStreamArn ?? "",
      stream_label: TableDescription?.LatestStreamLabel ?? "",
    };
  },

  aws_dynamodb_resource_policy: async (args, context) => {
    args.withoutEffect("confirm_remove_self_resource_access");
    const resource = args.text("resource_arn");
    const { RevisionId } = await context
      .client(DynamoDBClient)
      .send(new PutResourcePolicyCommand({ ResourceArn: resource, Policy: args.text("policy") }));
    return { id: resource, revision_id: RevisionId ?? "" };
  },
};

function tableInput(name: string, args: Arguments): CreateTableCommandInput {
  const indexes = args.blocks("global_secondary_index").map(indexInput);
  return {
    TableName: name,
    BillingMode: args.choice<BillingMode>("billing_mode") ?? "PAY_PER_REQUEST",
    TableClass: args.choice<TableClass>("table_class"),
    KeySchema: keySchema(args),
    AttributeDefinitions: args.blocks("attribute").map((attribute) => ({
      AttributeName: attribute.text("name"),
      AttributeType: attribute.text("type") as ScalarAttributeType,
    })),
    GlobalSecondaryIndexes: indexes.length === 0 ? undefined : indexes,
    DeletionProtectionEnabled: args.flag("deletion_protection_enabled"),
    StreamSpecification: args.flag("stream_enabled")
      ? { StreamEnabled: true, StreamViewType: args.choice<StreamViewType>("stream_view_type") }
      : undefined,
    SSESpecification: encryption(args.block("server_side_encryption")),
  };
}

function indexInput(index: Arguments): GlobalSecondaryIndex {
  const included = index.texts("non_key_attributes");
  return {
    IndexName: index.text("name"),
    KeySchema: keySchema(index),
    Projection: {
      ProjectionType: index.choice<ProjectionType>("projection_type"),
      NonKeyAttributes: included.length === 0 ? undefined : included,
    },
  };
}

function keySchema(args: Arguments): KeySchemaElement[] {
  const range = args.optionalText("range_key");
  return [
    { AttributeName: args.text("hash_key"), KeyType: "HASH" },
    ...(range === undefined ? [] : [{ AttributeName: range, KeyType: "RANGE" as const }]),
  ];
}

function encryption(block: Arguments | undefined): CreateTableCommandInput["SSESpecification"] {
  const key = block?.optionalText("kms_key_arn");
  if (!block?.flag("enabled")) return undefined;
  return { Enabled: true, SSEType: "KMS", KMSMasterKeyId: key };
}

async function switchOnBackups(client: DynamoDBClient, name: string, block: Arguments | undefined): Promise<void> {
  const days = block?.number("recovery_period_in_days");
  if (!block?.flag("enabled")) return;
  await client.send(
    new UpdateContinuousBackupsCommand({
      TableName: name,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: days },
    }),
  );
}

async function switchOnExpiry(client: DynamoDBClient, name: string, block: Arguments | undefined): Promise<void> {
  const attribute = block?.optionalText("attribute_name");
  if (!block?.flag("enabled")) return;
  await client.send(
    new UpdateTimeToLiveCommand({
      TableName: name,
      TimeToLiveSpecification: { Enabled: true, AttributeName: attribute },
    }),
  );
}
