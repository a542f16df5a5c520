/** The policies of a synthesized plan without any endpoint: resources get the ARNs that AWS would give them, and none is made. */

import { createHash } from "node:crypto";
import { LocalError } from "../errors";
import { arn, type Create, type CreateByType, type DeployContext } from "../resources/context";
import { RESOURCES } from "../resources/index";
import { PLAN_ONLY } from "../resources/plan-only";
import { type Deployed, StackGraph } from "../stack-graph";
import { readSynthesized } from "../synthesized";
import type { TerraformObject } from "../terraform-expression";
import { type AwsPlace, EffectivePolicies, text } from "./effective";
import { addPeople } from "./people";

export async function plannedPolicies(outputDirectory: string, account: string): Promise<EffectivePolicies> {
  const stacks = readSynthesized(outputDirectory);
  const place: AwsPlace = { account, region: stacks[0]?.region ?? "" };
  const resources = await new StackGraph(stacks, contextOf(place), PLANNED).deploy();
  const policies = new EffectivePolicies(place, resources);
  addPeople(policies);
  return policies;
}

/** The names and ARNs of one deployment as another has them, resource by resource. */
export function renaming(from: readonly Deployed[], to: readonly Deployed[]): (text: string) => string {
  const named = new Map(to.map((each) => [`${each.stack}/${each.block.address}`, each.attributes]));
  const pairs = new Map<string, string>();
  for (const { stack, block, attributes } of from) {
    const other = named.get(`${stack}/${block.address}`);
    if (other === undefined || block.mode !== "resource") continue;
    for (const name of NAMING) {
      const [here, there] = [text(attributes, name), text(other, name)];
      if (here !== "" && there !== "") pairs.set(here, there);
    }
  }
  const longestFirst = [...pairs.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map((each) => each.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|"), "g");
  return (value) => value.replace(pattern, (found) => pairs.get(found) ?? found);
}

const NAMING = ["arn", "stream_arn", "bucket", "function_name", "name", "alarm_name"];

function contextOf({ account, region }: AwsPlace): DeployContext {
  return {
    account,
    region,
    partition: "aws",
    archives: new Map(),
    client: () => {
      throw new LocalError("RESOURCE_FAILED", "A plan is read without an endpoint, and something wanted to call one.");
    },
    afterwards: () => {},
    functionEnvironment: async (_name, planned) => ({ ...planned }),
  };
}

type PlannedAttributes = (values: TerraformObject, context: DeployContext, id: string) => TerraformObject;

/** Where AWS builds the ARN otherwise than from service, kind and name, or adds what other resources refer to. */
const MADE: Readonly<Record<string, PlannedAttributes>> = {
  aws_kms_key: (_, context, id) => ({ arn: arn(context, "kms", `key/${id}`), key_id: id, id }),
  aws_iam_role: (values, { account }) => ({
    arn: `arn:aws:iam::${account}:role/${values["name"]}`,
    id: text(values, "name"),
  }),
  aws_iam_policy: (values, { account }) => ({ arn: `arn:aws:iam::${account}:policy/${values["name"]}` }),
  aws_dynamodb_table: (values, context) => {
    const table = arn(context, "dynamodb", `table/${values["name"]}`);
    return { arn: table, id: text(values, "name"), stream_arn: `${table}/stream/2026-11-28T00:00:00.000` };
  },
  aws_sqs_queue: (values, context) => {
    const url = `https://sqs.${context.region}.amazonaws.com/${context.account}/${values["name"]}`;
    return { arn: arn(context, "sqs", text(values, "name")), id: url, url };
  },
  aws_s3_bucket: (values) => ({ arn: `arn:aws:s3:::${values["bucket"]}`, id: text(values, "bucket") }),
  aws_lambda_function: (values, context) => ({
    arn: arn(context, "lambda", `function:${values["function_name"]}`),
    id: text(values, "function_name"),
  }),
  aws_cloudwatch_log_group: (values, context) => ({ arn: arn(context, "logs", `log-group:${values["name"]}`) }),
  aws_sns_topic: (values, context) => ({
    arn: arn(context, "sns", text(values, "name")),
    id: arn(context, "sns", text(values, "name")),
  }),
  terraform_data: (values) => ({ output: values["input"] ?? null }),
  aws_scheduler_schedule_group: (values, context) => ({
    arn: arn(context, "scheduler", `schedule-group/${values["name"]}`),
    id: text(values, "name"),
  }),
};

const PLANNED: CreateByType = Object.fromEntries(
  Object.entries(RESOURCES).map(([type, create]) => [type, type in PLAN_ONLY ? create : planned(type)]),
);

function planned(type: string): Create {
  return async (args, context) => {
    args.withoutEffect(...Object.keys(args.values));
    const hash = createHash("sha256").update(args.address).digest("hex");
    const id = `${hash.slice(0, 8)}-${hash.slice(8, 12)}-${hash.slice(12, 16)}-${hash.slice(16, 20)}-${hash.slice(20, 32)}`;
    // A topic policy has an argument of that name: it is the ARN of another resource.
    const own = text(args.values, "arn") || arn(context, "planned", `${type}/${id}`);
    return { id, arn: own, ...MADE[type]?.(args.values, context, id) };
  };
}
