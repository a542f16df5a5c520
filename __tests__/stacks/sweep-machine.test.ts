/** A sweep in pieces: its state machine, who may do what for it, and that a deployment without it has none of this. */

import { resolveTemplate } from "../../local/terraform-expression";
import { sweepDefinition } from "../../stacks/constructs/sweep-machine";
import { allStatements, conditionOf, configOf, only, statement, statements, synthesize } from "../support/synth";

const PIECES = 4;
const { security, network, data, functions } = synthesize(configOf("dev", { sweepPieces: PIECES })).stacks;
const without = synthesize(configOf("dev")).stacks;

const MACHINE_ARN = expect.stringMatching(/:states:.*:stateMachine:payment-log-sweep-pieces-dev$/);
const ACCESS = "sweep-machine-access-policy";

test("the schedule of the sweep starts the machine, and the scheduler may start it and not the function", () => {
  const schedule = only(functions, "aws_scheduler_schedule", "log-sweep-schedule");
  expect(schedule).toMatchObject({ target: { arn: MACHINE_ARN } });
  expect(statement(data, "scheduler-access-policy", "ScheduledMachines")).toMatchObject({
    actions: ["states:StartExecution"],
    resources: [MACHINE_ARN],
  });
  const scheduled = statement(data, "scheduler-access-policy", "ScheduledFunctions").resources;
  expect(scheduled.filter((arn) => arn.includes("sweep"))).toEqual([]);
});

test("the machine is encrypted, logs each step without its data, and hands every piece to the one function", async () => {
  const machine = only(functions, "aws_sfn_state_machine", "sweep-machine");
  expect(machine).toMatchObject({
    type: "STANDARD",
    encryption_configuration: { type: "CUSTOMER_MANAGED_KMS_KEY" },
    logging_configuration: { level: "ALL", include_execution_data: false },
  });
  const definition = await resolveTemplate(String(machine["definition"]), async (path) => ({
    value: path[1] === "aws_partition" ? "aws" : "arn:sweep",
    rest: [],
  }));
  const expected = sweepDefinition({ partition: "aws", functionArn: "arn:sweep", pieces: PIECES });
  expect(JSON.parse(String(definition))).toEqual(expected);
  expect(expected.States.ReadPieces).toMatchObject({
    MaxConcurrency: PIECES,
    ItemProcessor: { ProcessorConfig: { Mode: "DISTRIBUTED" } },
  });
  expect(only(functions, "aws_cloudwatch_log_group", "sweep-machine-log")).toMatchObject({
    name: expect.stringMatching(/^\/aws\/vendedlogs\/states\//),
    kms_key_id: expect.anything(),
    retention_in_days: 365,
  });
});

test("its role calls this function, starts and watches its own pieces, and nothing else", () => {
  expect(statements(functions, ACCESS).map(({ sid }) => sid)).toEqual([
    "Function",
    "Pieces",
    "PiecesUnderWay",
    "DataKey",
    "DataKeyOfLogs",
    "Logging",
  ]);
  const { resources } = statement(functions, ACCESS, "Function");
  expect(resources).toEqual([expect.stringContaining("aws_lambda_function.sweep-audit-trail")]);
  expect(statement(functions, ACCESS, "Pieces").resources).toEqual([MACHINE_ARN]);
  const trust = statement(functions, "sweep-machine-trust", "MachineOfThisProject");
  expect(trust.principals).toEqual([{ type: "Service", identifiers: ["states.amazonaws.com"] }]);
  expect(conditionOf(trust, "aws:SourceArn")?.values[0]).toEqual(MACHINE_ARN);
});

test("only the sweep reads and writes what the pieces have read, and it is removed after a week", () => {
  const pieces = expect.stringMatching(/\/pieces\/\*$/);
  expect(statement(functions, "payment-sweeper-role-access-policy", "Pieces")).toMatchObject({
    actions: ["s3:GetObject", "s3:PutObject"],
    resources: [pieces],
  });
  const users = allStatements(functions).filter(({ resources = [] }) =>
    resources.some((arn) => arn.endsWith("/pieces/*")),
  );
  expect(users).toHaveLength(1);
  expect(allStatements(data).find(({ sid }) => sid === "OnlySweeps")).toMatchObject({
    effect: "Deny",
    resources: [pieces],
  });
  expect(JSON.stringify(only(data, "aws_s3_bucket_lifecycle_configuration", "payment-exports-lifecycle"))).toContain(
    "pieces/",
  );
  const endpoint = allStatements(network).filter(({ resources = [] }) =>
    resources.some((arn) => arn.endsWith("/pieces/*")),
  );
  expect(endpoint.map(({ sid }) => sid)).toEqual(["ReadExports", "WriteChecks"]);
});

test("no function may call Step Functions: the machine calls the function", () => {
  for (const { actions, sid } of [...allStatements(functions), ...allStatements(security), ...allStatements(network)]) {
    const isOfMachine =
      ["Pieces", "PiecesUnderWay"].includes(sid) && actions.every((action) => action.startsWith("states:"));
    if (!isOfMachine) expect(actions?.filter((action) => action.startsWith("states:")) ?? []).toEqual([]);
  }
});

test("with one piece there is no machine, and no permission for one", () => {
  const all = JSON.stringify(without);
  for (const text of ["aws_sfn_state_machine", "states:", "/pieces/", "sweep-pieces"]) expect(all).not.toContain(text);
});
