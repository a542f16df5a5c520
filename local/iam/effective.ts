/** The policies in force, as the deployed resources say them, and as calls change them afterwards. */

import { LocalError } from "../errors";
import type { Deployed } from "../stack-graph";
import type { Json, TerraformObject } from "../terraform-expression";
import type { Authorisation, EndpointService } from "./authorisation";
import {
  type AccessRequest,
  type ApplicablePolicies,
  type CompiledPolicy,
  compilePolicy,
  type Decision,
  decide,
  type PolicyDocument,
  type Principal,
} from "./evaluate";

export interface AwsPlace {
  readonly account: string;
  readonly region: string;
}

export interface PolicyInForce {
  readonly document: PolicyDocument;
  readonly compiled: CompiledPolicy;
}

export interface Role {
  readonly name: string;
  readonly arn: string;
  boundaryArn: string | undefined;
  readonly policies: Map<string, PolicyInForce>;
}

export interface DeployedFunction {
  readonly name: string;
  readonly arn: string;
  readonly roleArn: string;
  readonly inVpc: boolean;
}

export interface BucketKey {
  readonly keyArn: string;
  /** One data key serves the whole bucket, and the encryption context names the bucket. */
  readonly isBucketKey: boolean;
}

export class EffectivePolicies {
  readonly roles = new Map<string, Role>();
  /** Managed policies by ARN: boundaries, and those that people are given. */
  readonly managed = new Map<string, PolicyInForce>();
  /** By ARN of the table, bucket, queue, topic, key, vault or function. */
  readonly resourcePolicies = new Map<string, PolicyInForce>();
  readonly endpoints = new Map<EndpointService, PolicyInForce>();
  readonly functions = new Map<string, DeployedFunction>();
  readonly tableKeys = new Map<string, string>();
  readonly bucketKeys = new Map<string, BucketKey>();
  readonly queueKeys = new Map<string, string>();
  readonly topicKeys = new Map<string, string>();
  readonly keyArnsByAlias = new Map<string, string>();
  /** Identity policies of the people, by ARN of the user. */
  readonly people = new Map<string, readonly PolicyInForce[]>();

  constructor(
    readonly place: AwsPlace,
    readonly resources: readonly Deployed[],
  ) {
    for (const { block, attributes } of resources) {
      if (block.mode === "resource") READERS[block.type]?.(this, attributes, block.address);
    }
    // What belongs to a role or a queue comes after it: the blocks are not in an order that could be relied on.
    for (const { block, attributes } of resources) {
      if (block.mode === "resource") ATTACHED[block.type]?.(this, attributes, block.address);
    }
  }

  decide(authorisation: Authorisation): Decision {
    const { caller, resource, via } = authorisation;
    return decide(this.requestOf(authorisation), this.policiesOf(caller, resource, via));
  }

  requestOf({ caller, action, resource, context }: Authorisation): AccessRequest {
    return { principal: caller, action, resource, account: accountIn(resource) || this.place.account, context };
  }

  policiesOf(caller: Principal, resource: string, via?: EndpointService): ApplicablePolicies {
    const resourcePolicy = this.resourcePolicies.get(policyHolderOf(resource))?.compiled;
    const shared = { resource: resourcePolicy, endpoint: via && this.endpoints.get(via)?.compiled };
    if (caller.kind === "service" || caller.kind === "root") return { identity: [], ...shared };
    if (caller.kind === "user") {
      return { identity: (this.people.get(caller.arn) ?? []).map(({ compiled }) => compiled), ...shared };
    }
    const role = this.roleOf(caller.arn);
    return {
      identity: [...role.policies.values()].map(({ compiled }) => compiled),
      boundary: role.boundaryArn === undefined ? undefined : this.managed.get(role.boundaryArn)?.compiled,
      ...shared,
    };
  }

  roleOf(arn: string): Role {
    const role = this.roles.get(arn);
    if (role === undefined)
      throw new LocalError("LOOKUP_FAILED", `The plan has no role ${arn}, and something runs as it.`);
    return role;
  }

  arn(service: string, resource: string): string {
    return `arn:aws:${service}:${this.place.region}:${this.place.account}:${resource}`;
  }

  tableArn(nameOrArn: string): string {
    return nameOrArn.startsWith("arn:") ? nameOrArn : this.arn("dynamodb", `table/${nameOrArn}`);
  }

  /** @param id key id, ARN or alias. */
  keyArn(id: string): string {
    if (id.startsWith("arn:") && !id.includes(":alias/")) return id;
    const alias = id.slice(id.indexOf("alias/"));
    return this.keyArnsByAlias.get(alias) ?? this.arn("kms", `key/${id}`);
  }
}

/** The one whose policy is about this resource: a table for its index, a bucket for its object. */
export function policyHolderOf(resource: string): string {
  if (resource.startsWith("arn:aws:s3:::")) return resource.split("/")[0] ?? resource;
  const table = /^(arn:[^/]*:dynamodb:[^/]*:table\/[^/]+)\/(?!stream\/)/.exec(resource);
  return table?.[1] ?? resource;
}

export function inForce(text: string, where: string): PolicyInForce {
  const parsed = JSON.parse(text) as PolicyDocument & { Statement: PolicyDocument["Statement"] | object };
  const statements = Array.isArray(parsed.Statement) ? parsed.Statement : [parsed.Statement];
  const document: PolicyDocument = { ...parsed, Statement: statements };
  return { document, compiled: compilePolicy(document, where) };
}

type PolicyReader = (policies: EffectivePolicies, attributes: TerraformObject, address: string) => void;

/** Resources that need no other resource to be read. */
const READERS: Readonly<Record<string, PolicyReader>> = {
  aws_iam_role: ({ roles, resourcePolicies }, a, address) => {
    const arn = text(a, "arn");
    const boundaryArn = optionalText(a, "permissions_boundary");
    roles.set(arn, { name: text(a, "name"), arn, boundaryArn, policies: new Map() });
    // Who may assume a role is in the policy that lies on it.
    resourcePolicies.set(arn, inForce(text(a, "assume_role_policy"), `${address} (trust)`));
  },
  aws_iam_policy: ({ managed }, a, address) => managed.set(text(a, "arn"), inForce(text(a, "policy"), address)),
  aws_dynamodb_table: ({ tableKeys }, a) => {
    const key = optionalText(blockIn(a, "server_side_encryption"), "kms_key_arn");
    if (key !== undefined) tableKeys.set(text(a, "arn"), key);
  },
  aws_kms_key: ({ resourcePolicies, place }, a, address) =>
    resourcePolicies.set(text(a, "arn"), inForce(optionalText(a, "policy") ?? defaultKeyPolicy(place), address)),
  aws_sqs_queue: ({ queueKeys, resourcePolicies }, a, address) => {
    const [key, policy] = [optionalText(a, "kms_master_key_id"), optionalText(a, "policy")];
    if (key !== undefined) queueKeys.set(text(a, "arn"), key);
    if (policy !== undefined) resourcePolicies.set(text(a, "arn"), inForce(policy, address));
  },
  aws_sns_topic: ({ topicKeys }, a) => {
    const key = optionalText(a, "kms_master_key_id");
    if (key !== undefined) topicKeys.set(text(a, "arn"), key);
  },
  aws_s3_bucket_server_side_encryption_configuration: ({ bucketKeys }, a) => {
    const rule = blockIn(a, "rule");
    const keyArn = optionalText(blockIn(rule, "apply_server_side_encryption_by_default"), "kms_master_key_id");
    if (keyArn === undefined) return;
    bucketKeys.set(`arn:aws:s3:::${text(a, "bucket")}`, { keyArn, isBucketKey: rule["bucket_key_enabled"] === true });
  },
  aws_dynamodb_resource_policy: ({ resourcePolicies }, a, address) =>
    resourcePolicies.set(text(a, "resource_arn"), inForce(text(a, "policy"), address)),
  aws_s3_bucket_policy: ({ resourcePolicies }, a, address) =>
    resourcePolicies.set(`arn:aws:s3:::${text(a, "bucket")}`, inForce(text(a, "policy"), address)),
  aws_sns_topic_policy: ({ resourcePolicies }, a, address) =>
    resourcePolicies.set(text(a, "arn"), inForce(text(a, "policy"), address)),
  aws_vpc_endpoint: ({ endpoints }, a, address) => {
    const service = text(a, "service_name").split(".").pop() as EndpointService;
    const policy = optionalText(a, "policy");
    if (policy !== undefined) endpoints.set(service, inForce(policy, address));
  },
  aws_lambda_function: ({ functions }, a) =>
    functions.set(text(a, "function_name"), {
      name: text(a, "function_name"),
      arn: text(a, "arn"),
      roleArn: text(a, "role"),
      inVpc: Object.keys(blockIn(a, "vpc_config")).length > 0,
    }),
};

/** What KMS gives a key that comes without a policy: the account's own policies decide. */
function defaultKeyPolicy({ account }: AwsPlace): string {
  const Principal = { AWS: `arn:aws:iam::${account}:root` };
  const Statement = [
    { Sid: "Enable IAM User Permissions", Effect: "Allow", Principal, Action: "kms:*", Resource: "*" },
  ];
  return JSON.stringify({ Version: "2012-10-17", Statement });
}

/** What is put on something else. */
const ATTACHED: Readonly<Record<string, PolicyReader>> = {
  aws_iam_role_policy: (policies, a, address) => {
    const name = text(a, "role");
    const role = [...policies.roles.values()].find((each) => each.name === name);
    role?.policies.set(text(a, "name"), inForce(text(a, "policy"), address));
  },
  aws_sqs_queue_policy: (policies, a, address) => {
    const name = text(a, "queue_url").split("/").pop() ?? "";
    policies.resourcePolicies.set(policies.arn("sqs", name), inForce(text(a, "policy"), address));
  },
  aws_kms_alias: (policies, a) =>
    policies.keyArnsByAlias.set(text(a, "name"), policies.keyArn(text(a, "target_key_id"))),
  aws_lambda_permission: ({ functions, resourcePolicies }, a, address) => {
    const name = text(a, "function_name");
    const arn = functions.get(name)?.arn ?? name;
    const before = resourcePolicies.get(arn)?.document.Statement ?? [];
    const document = { Version: "2012-10-17", Statement: [...before, permissionStatement(a, arn)] };
    resourcePolicies.set(arn, inForce(JSON.stringify(document), address));
  },
};

/** As Lambda writes it into the function's policy. */
function permissionStatement(a: TerraformObject, functionArn: string) {
  const [sourceArn, sourceAccount] = [optionalText(a, "source_arn"), optionalText(a, "source_account")];
  return {
    Sid: text(a, "statement_id"),
    Effect: "Allow",
    Principal: { Service: text(a, "principal") },
    Action: text(a, "action"),
    Resource: functionArn,
    Condition: {
      ...(sourceArn !== undefined && { ArnLike: { "aws:SourceArn": sourceArn } }),
      ...(sourceAccount !== undefined && { StringEquals: { "aws:SourceAccount": sourceAccount } }),
    },
  };
}

export function text(attributes: TerraformObject, name: string): string {
  return optionalText(attributes, name) ?? "";
}

export function optionalText(attributes: TerraformObject, name: string): string | undefined {
  const value = attributes[name];
  return typeof value === "string" ? value : undefined;
}

/** The only nested block of that name, synthesized as an object or as a list of one. */
export function blockIn(attributes: TerraformObject, name: string): TerraformObject {
  const value: Json | undefined = attributes[name];
  const first = Array.isArray(value) ? value[0] : value;
  return typeof first === "object" && first !== null && !Array.isArray(first) ? first : {};
}

function accountIn(resource: string): string {
  return resource.split(":")[4] ?? "";
}
