/** What each type of resource costs in a month in which nobody uses it. */

import { PRICES } from "./prices";

const HOURS = 730;
const MINUTES = HOURS * 60;
const DAYS = HOURS / 24;

/** What one heartbeat of a log to which nothing came asks of AWS. `__tests__/tools/cost.test.ts` counts it. */
export const HEARTBEAT_CALLS = {
  GetItem: 2,
  Query: 2,
  TransactWriteItems: 1,
  GetObject: 4,
  PutObject: 5,
  ListObjectsV2: 1,
  Sign: 1,
};
const HEARTBEAT_WRITE_UNITS = 4;
/** A read unit each; the head and the newest batch are small. */
const HEARTBEAT_READ_UNITS = HEARTBEAT_CALLS.GetItem + HEARTBEAT_CALLS.Query;

/** Estimates: how long a scheduled run takes, and what it writes into logs. */
const RUN_SECONDS = 0.5;
const LOG_BYTES_PER_RUN = 2_000;
const FLOW_LOG_BYTES_PER_RUN = 4_000;
/** What an unused log adds to the evidence bucket: the unfinished tile and bundle of each checkpoint. */
const EVIDENCE_GIGABYTES = 2;
/** CloudTrail's files: each five minutes where something happens, a digest each hour in each region. */
const TRAIL_FILES = (60 / 5) * HOURS + 17 * HOURS;
/** Lambda keeps five long polls of up to 20 seconds open at a queue. */
const POLLS_PER_MINUTE = 5 * (60 / 20);

type Block = Readonly<Record<string, unknown>>;
export interface PricedStack {
  readonly resource: Readonly<Record<string, Readonly<Record<string, Block>>>>;
}

export interface CostLine {
  readonly what: string;
  readonly count: number;
  readonly dollars: number;
}

/** All resources of a type, by their ids, and the stacks for what else a price depends on. */
type Price = (blocks: Readonly<Record<string, Block>>, stacks: readonly PricedStack[]) => CostLine[];

const each =
  (what: string, dollars: number): Price =>
  (blocks) => {
    const count = Object.keys(blocks).length;
    return [{ what, count, dollars: count * dollars }];
  };

const PRICED: Readonly<Record<string, Price>> = {
  aws_vpc_endpoint: (blocks) => {
    const zones = Object.values(blocks)
      .filter((endpoint) => endpoint["vpc_endpoint_type"] === "Interface")
      .reduce((sum, { subnet_ids }) => sum + (subnet_ids as unknown[]).length, 0);
    const what = "Interface endpoints, $0.01 an hour in each zone";
    return zones === 0 ? [] : [{ what, count: zones, dollars: zones * PRICES.endpointZoneHour * HOURS }];
  },
  aws_nat_gateway: each("NAT gateway, $0.045 an hour", PRICES.natGatewayHour * HOURS),
  aws_eip: each("its public address, $0.005 an hour", PRICES.publicAddressHour * HOURS),
  aws_kms_key: each("KMS keys, $1 each", PRICES.kmsKey),
  aws_cloudwatch_metric_alarm: (blocks) => {
    const count = Object.values(blocks).reduce((sum, alarm) => sum + watchedMetrics(alarm), 0);
    return [{ what: "Metrics watched by alarms, $0.10 each", count, dollars: count * PRICES.alarmMetric }];
  },
  aws_cloudwatch_composite_alarm: each("Composite alarms, $0.50 each", PRICES.compositeAlarm),
  aws_cloudwatch_dashboard: each("Dashboard, $3", PRICES.dashboard),
  aws_scheduler_schedule: scheduledRuns,
  aws_sfn_state_machine: pieceMachines,
  aws_lambda_event_source_mapping: (blocks) => {
    const polled = Object.values(blocks).filter(({ event_source_arn }) => `${event_source_arn}`.includes("sqs_queue"));
    const count = polled.length * POLLS_PER_MINUTE * MINUTES;
    // The dearer of the two prices; one of the queues is FIFO.
    return [{ what: "Lambda's polling of the empty queues", count, dollars: count * PRICES.sqsFifoRequest }];
  },
  aws_cloudtrail: (_blocks, stacks) => {
    const { Sign: _managementEvent, ...data } = HEARTBEAT_CALLS;
    const perHeartbeat = 1 + Object.values(data).reduce((sum, calls) => sum + calls, 0);
    const events = perHeartbeat * heartbeatsOf(stacks);
    return [
      {
        what: "CloudTrail's data events of the heartbeats",
        count: events,
        dollars: events * PRICES.dataEvent,
      },
      {
        what: "CloudTrail's files: S3 and KMS requests",
        count: TRAIL_FILES,
        dollars: TRAIL_FILES * (PRICES.s3Put + PRICES.kmsRequest),
      },
    ];
  },
  aws_flow_log: (_blocks, stacks) => {
    const bytes = runsOf(stacks) * (LOG_BYTES_PER_RUN + FLOW_LOG_BYTES_PER_RUN);
    const count = gigabytes(bytes);
    return [{ what: "Log lines and flow logs, $0.50 a GB", count, dollars: count * PRICES.logGigabyte }];
  },
};

/** Free while nothing is in them or nobody calls them, or always. */
const FREE: Readonly<Record<string, string>> = {
  aws_api_gateway_deployment: "part of the API",
  aws_api_gateway_integration: "part of the API",
  aws_api_gateway_method: "part of the API",
  aws_api_gateway_method_settings: "a setting",
  aws_api_gateway_resource: "part of the API",
  aws_api_gateway_rest_api: "billed by requests; its endpoint is among the interface endpoints",
  aws_api_gateway_rest_api_policy: "a setting",
  aws_api_gateway_stage: "part of the API; it has no cache",
  aws_backup_plan: "backups are billed by what they hold",
  aws_backup_selection: "part of the plan",
  aws_backup_vault: "backups are billed by what they hold",
  aws_backup_vault_lock_configuration: "a setting",
  aws_cloudwatch_event_rule: "events of AWS services are free",
  aws_cloudwatch_event_target: "part of the rule",
  aws_cloudwatch_log_group: "billed by what is written; see the log lines",
  aws_default_security_group: "free",
  aws_dynamodb_resource_policy: "a setting",
  aws_dynamodb_table: "on demand: billed by requests and by what is stored",
  aws_iam_policy: "free",
  aws_iam_role: "free",
  aws_iam_role_policy: "free",
  aws_internet_gateway: "billed by traffic",
  aws_kms_alias: "free",
  aws_lambda_function: "billed by calls; see the scheduled runs",
  aws_lambda_function_event_invoke_config: "a setting",
  aws_lambda_function_recursion_config: "a setting",
  aws_lambda_permission: "a setting",
  aws_route: "free",
  aws_route_table: "free",
  aws_route_table_association: "free",
  aws_s3_bucket: "billed by what is stored; the log's evidence is part of the heartbeats",
  aws_s3_bucket_lifecycle_configuration: "a setting",
  aws_s3_bucket_notification: "a setting",
  aws_s3_bucket_object_lock_configuration: "a setting",
  aws_s3_bucket_ownership_controls: "a setting",
  aws_s3_bucket_policy: "a setting",
  aws_s3_bucket_public_access_block: "a setting",
  aws_s3_bucket_server_side_encryption_configuration: "a setting",
  aws_s3_bucket_versioning: "a setting",
  aws_s3_object: "part of the bucket",
  aws_scheduler_schedule_group: "billed by runs",
  aws_security_group: "free",
  aws_sns_topic: "billed by messages",
  aws_sns_topic_policy: "a setting",
  aws_sqs_queue: "billed by requests; see the polling",
  aws_sqs_queue_policy: "a setting",
  aws_sqs_queue_redrive_allow_policy: "a setting",
  aws_subnet: "free",
  aws_vpc: "free",
  aws_vpc_endpoint_policy: "a setting",
  aws_vpc_security_group_egress_rule: "free",
  aws_vpc_security_group_ingress_rule: "free",
  terraform_data: "in Terraform's state only",
};

/** Every type is priced or known to be free. @throws Error naming each type of resource that is neither priced nor known to be free. */
export function idleCost(stacks: readonly PricedStack[]): CostLine[] {
  const types = [...new Set(stacks.flatMap(({ resource }) => Object.keys(resource)))].sort();
  const unknown = types.filter((type) => PRICED[type] === undefined && FREE[type] === undefined);
  if (unknown.length > 0) {
    throw new Error(`No price is known of ${unknown.join(", ")}. Add it to PRICED or FREE in tools/cost/idle.ts.`);
  }
  // In the order of the list above: the largest first.
  return Object.entries(PRICED).flatMap(([type, price]) => {
    const blocks = blocksOf(stacks, type);
    return Object.keys(blocks).length === 0 ? [] : price(blocks, stacks);
  });
}

export function together(lines: readonly CostLine[]): number {
  return lines.reduce((sum, { dollars }) => sum + dollars, 0);
}

function blocksOf(stacks: readonly PricedStack[], type: string): Readonly<Record<string, Block>> {
  return Object.assign({}, ...stacks.map(({ resource }) => resource[type] ?? {})) as Record<string, Block>;
}

function gigabytes(bytes: number): number {
  return bytes / 1_000_000_000;
}

/** An alarm on an expression is billed for each metric in it. */
function watchedMetrics(alarm: Block): number {
  const queries = alarm["metric_query"] as Block[] | undefined;
  return queries === undefined ? 1 : queries.filter(({ metric }) => metric !== undefined).length;
}

const HEARTBEAT = "seal-heartbeat-schedule";

function heartbeatsOf(stacks: readonly PricedStack[]): number {
  const heartbeat = blocksOf(stacks, "aws_scheduler_schedule")[HEARTBEAT];
  if (heartbeat === undefined) throw new Error(`There is no schedule ${HEARTBEAT}; correct tools/cost/idle.ts.`);
  return runsPerMonth(heartbeat);
}

/** Of a run without pieces: merging, choice, end. */
const TRANSITIONS_OF_A_RUN = 3;
/** Of a round: the map, merging, choice; and the start, call and end of each piece. */
const TRANSITIONS_OF_A_ROUND = 3;
const TRANSITIONS_OF_A_PIECE = 3;

/** Tables in which nothing differs take one round. The drill's machine runs each hour, and most of its runs only look. */
function pieceMachines(machines: Readonly<Record<string, Block>>, stacks: readonly PricedStack[]): CostLine[] {
  const schedules = Object.values(blocksOf(stacks, "aws_scheduler_schedule"));
  const count = Object.values(machines).reduce((sum, machine) => {
    const runs = schedules
      .filter((schedule) => isTarget(machine, schedule))
      .reduce((total, schedule) => total + runsPerMonth(schedule), 0);
    const variables = ((functionOf(machine, stacks)["environment"] as Block)["variables"] ?? {}) as Block;
    const everyDays = variables["DRILL_EVERY_DAYS"];
    const rounds = everyDays === undefined ? runs : DAYS / Number(everyDays);
    const ofARound = TRANSITIONS_OF_A_ROUND + TRANSITIONS_OF_A_PIECE * Number(variables["CHECK_PIECES"]);
    return sum + runs * TRANSITIONS_OF_A_RUN + rounds * ofARound;
  }, 0);
  return [{ what: "Checks in pieces: state transitions", count, dollars: count * PRICES.stateTransition }];
}

function isTarget({ name }: Block, { target }: Block): boolean {
  return `${(target as Block)["arn"]}`.endsWith(`:stateMachine:${name}`);
}

/** The function that a state machine calls. */
function functionOf({ name, definition }: Block, stacks: readonly PricedStack[]): Block {
  const functions = Object.entries(blocksOf(stacks, "aws_lambda_function"));
  const found = functions.find(([id]) => `${definition}`.includes(`aws_lambda_function.${id}.`));
  if (found === undefined) throw new Error(`The state machine ${name} calls no function of the stacks.`);
  return found[1];
}

function runsOf(stacks: readonly PricedStack[]): number {
  return Object.values(blocksOf(stacks, "aws_scheduler_schedule")).reduce((sum, each) => sum + runsPerMonth(each), 0);
}

/** Of what a schedule starts. A target is a state machine, a reference to its function, or in a stack before it an ARN that ends with the function's name. */
function memoryMbOf({ target }: Block, stacks: readonly PricedStack[]): number {
  const arn = `${(target as Block)["arn"]}`;
  const machine = Object.values(blocksOf(stacks, "aws_sfn_state_machine")).find((each) => isTarget(each, { target }));
  if (machine !== undefined) return Number(functionOf(machine, stacks)["memory_size"]);
  const found = Object.entries(blocksOf(stacks, "aws_lambda_function")).find(
    ([id, { function_name }]) =>
      arn.includes(`aws_lambda_function.${id}.`) || arn.endsWith(`:function:${function_name}`),
  );
  if (found === undefined) throw new Error(`No function has the ARN ${arn} of a schedule's target.`);
  return Number(found[1]["memory_size"]);
}

/** Of the forms that the configuration allows: a rate in minutes, or a cron expression. */
function runsPerMonth({ schedule_expression }: Block): number {
  const expression = `${schedule_expression}`;
  const rate = /^rate\((\d+) minutes?\)$/.exec(expression);
  if (rate !== null) return MINUTES / Number(rate[1]);
  const [, hours, , , weekDay] = /^cron\((.*)\)$/.exec(expression)?.[1]?.split(" ") ?? [];
  if (hours === undefined)
    throw new Error(`The schedule ${expression} has a form that tools/cost/idle.ts cannot count.`);
  const days = weekDay === "?" || weekDay === "*" ? DAYS : DAYS / 7;
  return hours === "*" ? days * 24 : days;
}

/** Runs of the schedules: what starts them and runs them; and the work of the heartbeats, which are nearly all of them. */
function scheduledRuns(schedules: Readonly<Record<string, Block>>, stacks: readonly PricedStack[]): CostLine[] {
  const runs = runsOf(stacks);
  const heartbeats = heartbeatsOf(stacks);
  const gigabyteSeconds = Object.values(schedules).reduce(
    (sum, schedule) => sum + runsPerMonth(schedule) * RUN_SECONDS * (memoryMbOf(schedule, stacks) / 1024),
    0,
  );
  const run = PRICES.scheduledRun + PRICES.lambdaRequest + PRICES.kmsRequest;
  const heartbeat =
    HEARTBEAT_WRITE_UNITS * PRICES.writeUnit +
    HEARTBEAT_READ_UNITS * PRICES.readUnit +
    // S3 asks the same for a list as for a put.
    (HEARTBEAT_CALLS.PutObject + HEARTBEAT_CALLS.ListObjectsV2) * PRICES.s3Put +
    HEARTBEAT_CALLS.GetObject * PRICES.s3Get +
    HEARTBEAT_CALLS.Sign * PRICES.kmsSignature;
  const daily = Object.keys(schedules).length - 1;
  // A metric is billed for the hours in which it is reported.
  const metrics = PRICES.customMetric * (1 + (daily * DAYS) / HOURS);
  return [
    {
      what: "Scheduled runs: Scheduler, Lambda, KMS",
      count: runs,
      dollars: runs * run + gigabyteSeconds * PRICES.lambdaGigabyteSecond,
    },
    {
      what: "The log's heartbeats: signatures, S3 and DynamoDB requests",
      count: heartbeats,
      dollars: heartbeats * heartbeat,
    },
    {
      what: "Evidence of a month in S3; it stays",
      count: EVIDENCE_GIGABYTES,
      dollars: EVIDENCE_GIGABYTES * PRICES.s3Gigabyte,
    },
    {
      what: "Metrics of the scheduled functions, $0.30 each for the hours with a report",
      count: daily + 1,
      dollars: metrics,
    },
  ];
}
