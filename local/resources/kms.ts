import {
  CreateAliasCommand,
  CreateKeyCommand,
  EnableKeyRotationCommand,
  type KeySpec,
  type KeyUsageType,
  KMSClient,
} from "@aws-sdk/client-kms";
import { arn, type CreateByType, present } from "./context";

export const KMS: CreateByType = {
  aws_kms_key: async (args, context) => {
    args.withoutEffect("deletion_window_in_days", "tags", "bypass_policy_lockout_safety_check");
    const kms = context.client(KMSClient);
    const { KeyMetadata } = await kms.send(
      new CreateKeyCommand({
        Description: args.optionalText("description"),
        KeyUsage: args.choice<KeyUsageType>("key_usage"),
        KeySpec: args.choice<KeySpec>("customer_master_key_spec"),
        Policy: args.optionalText("policy"),
        MultiRegion: args.flag("multi_region"),
      }),
    );
    const keyId = present(KeyMetadata?.KeyId, "KeyMetadata.KeyId");
    const rotationPeriod = args.number("rotation_period_in_days");
    if (args.flag("enable_key_rotation")) {
      await kms.send(new EnableKeyRotationCommand({ KeyId: keyId, RotationPeriodInDays: rotationPeriod }));
    }
    return { id: keyId, key_id: keyId, arn: present(KeyMetadata?.Arn, "KeyMetadata.Arn") };
  },

  aws_kms_alias: async (args, context) => {
    const name = args.text("name");
    const target = args.text("target_key_id");
    await context.client(KMSClient).send(new CreateAliasCommand({ AliasName: name, TargetKeyId: target }));
    return { id: name, name, arn: arn(context, "kms", name), target_key_id: target };
  },
};
