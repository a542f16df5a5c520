import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { type CreateByType, present } from "./context";

/** The emulator stores roles and policies and enforces none. The gate in front of it (`local/iam/`) does, from the same attributes. */
export const IAM: CreateByType = {
  aws_iam_role: async (args, context) => {
    args.withoutEffect("tags", "force_detach_policies");
    const name = args.text("name");
    const { Role } = await context.client(IAMClient).send(
      new CreateRoleCommand({
        RoleName: name,
        Path: args.optionalText("path"),
        Description: args.optionalText("description"),
        AssumeRolePolicyDocument: args.text("assume_role_policy"),
        MaxSessionDuration: args.number("max_session_duration"),
        PermissionsBoundary: args.optionalText("permissions_boundary"),
      }),
    );
    return { id: name, arn: present(Role?.Arn, "Role.Arn"), unique_id: present(Role?.RoleId, "Role.RoleId") };
  },

  aws_iam_policy: async (args, context) => {
    args.withoutEffect("tags");
    const { Policy } = await context.client(IAMClient).send(
      new CreatePolicyCommand({
        PolicyName: args.text("name"),
        Path: args.optionalText("path"),
        Description: args.optionalText("description"),
        PolicyDocument: args.text("policy"),
      }),
    );
    const arn = present(Policy?.Arn, "Policy.Arn");
    return { id: arn, arn, policy_id: Policy?.PolicyId ?? "" };
  },

  aws_iam_role_policy: async (args, context) => {
    const role = args.text("role");
    const name = args.text("name");
    await context
      .client(IAMClient)
      .send(new PutRolePolicyCommand({ RoleName: role, PolicyName: name, PolicyDocument: args.text("policy") }));
    return { id: `${role}:${name}` };
  },

  aws_iam_role_policy_attachment: async (args, context) => {
    const role = args.text("role");
    const policy = args.text("policy_arn");
    await context.client(IAMClient).send(new AttachRolePolicyCommand({ RoleName: role, PolicyArn: policy }));
    return { id: `${role}/${policy}` };
  },
};
