import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import {
  AddPermissionCommand,
  type Architecture,
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  type EventSourcePosition,
  type FunctionResponseType,
  LambdaClient,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  PutFunctionRecursionConfigCommand,
  type RecursiveLoop,
  type Runtime,
  type TracingMode,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { LocalError } from "../errors";
import type { Arguments } from "./arguments";
import { type CreateByType, type DeployContext, present } from "./context";

const ACTIVE_TIMEOUT_SECONDS = 120;

export const LAMBDA: CreateByType = {
  aws_lambda_function: async (args, context) => {
    // The network does not exist here: the subnets are ids only.
    args.withoutEffect("vpc_config", "tags", "timeouts", "skip_destroy");
    const lambda = context.client(LambdaClient);
    const name = args.text("function_name");
    const created = await lambda.send(new CreateFunctionCommand(await functionInput(name, args, context)));
    context.afterwards(() =>
      waitUntilFunctionActiveV2(
        { client: lambda, maxWaitTime: ACTIVE_TIMEOUT_SECONDS, minDelay: 0.05 },
        { FunctionName: name },
      ),
    );
    const reserved = args.number("reserved_concurrent_executions");
    if (reserved !== undefined && reserved >= 0) {
      await lambda.send(
        new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: reserved }),
      );
    }
    const arn = present(created.FunctionArn, "FunctionArn");
    return { id: name, arn, version: "$LATEST", qualified_arn: `${arn}:$LATEST`, invoke_arn: arn };
  },

  aws_lambda_function_event_invoke_config: async (args, context) => {
    const name = args.text("function_name");
    const destinations = args.block("destination_config");
    await context.client(LambdaClient).send(
      new PutFunctionEventInvokeConfigCommand({
        FunctionName: name,
        MaximumEventAgeInSeconds: args.number("maximum_event_age_in_seconds"),
        MaximumRetryAttempts: args.number("maximum_retry_attempts"),
        DestinationConfig: destinations && {
          OnFailure: { Destination: destinations.block("on_failure")?.text("destination") },
          OnSuccess: { Destination: destinations.block("on_success")?.text("destination") },
        },
      }),
    );
    return { id: name };
  },

  aws_lambda_function_recursion_config: async (args, context) => {
    const name = args.text("function_name");
    const loop = args.choice<RecursiveLoop>("recursive_loop");
    await context
      .client(LambdaClient)
      .send(new PutFunctionRecursionConfigCommand({ FunctionName: name, RecursiveLoop: loop }));
    return { id: name };
  },

  aws_lambda_event_source_mapping: async (args, context) => {
    args.withoutEffect("tags", "metrics_config");
    const filters = args.block("filter_criteria")?.blocks("filter");
    const onFailure = args.block("destination_config")?.block("on_failure")?.text("destination_arn");
    const maximumConcurrency = args.block("scaling_config")?.number("maximum_concurrency");
    const created = await context.client(LambdaClient).send(
      new CreateEventSourceMappingCommand({
        FunctionName: args.text("function_name"),
        EventSourceArn: args.text("event_source_arn"),
        Enabled: args.flag("enabled"),
        BatchSize: args.number("batch_size"),
        MaximumBatchingWindowInSeconds: args.number("maximum_batching_window_in_seconds"),
        MaximumRetryAttempts: args.number("maximum_retry_attempts"),
        MaximumRecordAgeInSeconds: args.number("maximum_record_age_in_seconds"),
        ParallelizationFactor: args.number("parallelization_factor"),
        BisectBatchOnFunctionError: args.flag("bisect_batch_on_function_error"),
        StartingPosition: args.choice<EventSourcePosition>("starting_position"),
        FunctionResponseTypes: args.texts("function_response_types") as FunctionResponseType[],
        FilterCriteria: filters && { Filters: filters.map((filter) => ({ Pattern: filter.text("pattern") })) },
        DestinationConfig: onFailure === undefined ? undefined : { OnFailure: { Destination: onFailure } },
        ScalingConfig: maximumConcurrency === undefined ? undefined : { MaximumConcurrency: maximumConcurrency },
      }),
    );
    return { id: present(created.UUID, "UUID"), uuid: present(created.UUID, "UUID") };
  },

  aws_lambda_permission: async (args, context) => {
    const statementId = args.text("statement_id");
    await context.client(LambdaClient).send(
      new AddPermissionCommand({
        StatementId: statementId,
        Action: args.text("action"),
        FunctionName: args.text("function_name"),
        Principal: args.text("principal"),
        SourceArn: args.optionalText("source_arn"),
        SourceAccount: args.optionalText("source_account"),
      }),
    );
    return { id: statementId };
  },
};

async function functionInput(name: string, args: Arguments, context: DeployContext) {
  const planned = args.block("environment")?.textMap("variables") ?? {};
  const tracing = args.block("tracing_config")?.choice<TracingMode>("mode");
  const deadLetter = args.block("dead_letter_config")?.text("target_arn");
  const storage = args.block("ephemeral_storage")?.number("size");
  const logging = args.block("logging_config");
  return {
    FunctionName: name,
    Description: args.optionalText("description"),
    Role: args.text("role"),
    Runtime: args.choice<Runtime>("runtime"),
    Handler: args.text("handler"),
    Code: { ZipFile: codeOf(args) },
    Architectures: args.texts("architectures") as Architecture[],
    MemorySize: args.number("memory_size"),
    Timeout: args.number("timeout"),
    Publish: args.flag("publish"),
    KMSKeyArn: args.optionalText("kms_key_arn"),
    PackageType: args.choice<"Zip">("package_type"),
    Environment: { Variables: await context.functionEnvironment(name, planned) },
    TracingConfig: tracing === undefined ? undefined : { Mode: tracing },
    DeadLetterConfig: deadLetter === undefined ? undefined : { TargetArn: deadLetter },
    EphemeralStorage: storage === undefined ? undefined : { Size: storage },
    LoggingConfig: logging && {
      LogFormat: logging.choice<"JSON" | "Text">("log_format"),
      LogGroup: logging.optionalText("log_group"),
      ApplicationLogLevel: logging.choice<"INFO">("application_log_level"),
      SystemLogLevel: logging.choice<"INFO">("system_log_level"),
    },
  };
}

/** The zip file that the synth wrote. Terraform takes its hash as given; here the two are compared, so that what runs is what was planned. */
function codeOf(args: Arguments): Uint8Array {
  const file = args.text("filename");
  const planned = args.text("source_code_hash");
  const code = existsSync(file) ? readFileSync(file) : undefined;
  const found = code === undefined ? "no file" : createHash("sha256").update(code).digest("base64");
  if (code !== undefined && found === planned) return code;
  throw new LocalError(
    "ARGUMENT_INVALID",
    `${args.address}: the code at ${path.relative("", file)} must have the SHA-256 ${planned} of the plan, and is ${found}. Synthesize again, then deploy.`,
  );
}
