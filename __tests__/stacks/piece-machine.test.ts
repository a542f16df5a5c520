/** Checks in pieces: their state machines, who may do what for it, and that a deployment without it has none of this. */

import { FUNCTIONS, PIECES_PREFIXES, type PiecedCheck, ROLES } from "../../contract";
import { resolveTemplate } from "../../local/terraform-expression";
import { pieceDefinition } from "../../stacks/constructs/piece-machine";
import { allStatements, conditionOf, configOf, only, statement, statements, synthesize } from "../support/synth";

const PIECES = 4;
const { security, network, data, functions } = synthesize(configOf("dev", { checkPieces: PIECES })).stacks;
const without = synthesize(configOf("dev")).stacks;

/** Each check, with the schedule that starts its machine. */
const CHECKS: readonly (readonly [PiecedCheck, schedule: string, machine: string])[] = [
  ["sweepAuditTrail", "log-sweep-schedule", "payment-log-sweep-pieces-dev"],
  ["checkBackup", "backup-check-schedule", "payment-backup-check-pieces-dev"],
  ["drillRestore", "restore-drill-schedule", "payment-restore-drill-pieces-dev"],
];

test("every check that can be made in pieces is among those of this file", () => {
  expect(CHECKS.map(([check]) => check)).toEqual(Object.keys(PIECES_PREFIXES));
});

describe.each(CHECKS)("%s", (check, scheduleId, machineName) => {
  const { entry, name, role } = FUNCTIONS[check];
  const machineArn = expect.stringMatching(new RegExp(`:states:.*:stateMachine:${machineName}$`));
  const access = `${entry}-machine-access-policy`;
  const prefix = PIECES_PREFIXES[check];

  test("its schedule starts the machine, and the scheduler may start it and not the function", () => {
    expect(only(functions, "aws_scheduler_schedule", scheduleId)).toMatchObject({ target: { arn: machineArn } });
    const machines = statement(data, "scheduler-access-policy", "ScheduledMachines");
    expect(machines.actions).toEqual(["states:StartExecution"]);
    expect(machines.resources).toContainEqual(machineArn);
    expect(machines.resources).toHaveLength(CHECKS.length);
    const scheduled = statement(data, "scheduler-access-policy", "ScheduledFunctions").resources;
    expect(scheduled.filter((arn) => arn.includes(name))).toEqual([]);
  });

  test("the machine is encrypted, logs each step without its data, and hands every piece to the one function", async () => {
    const machine = only(functions, "aws_sfn_state_machine", `${entry}-machine`);
    expect(machine).toMatchObject({
      type: "STANDARD",
      encryption_configuration: { type: "CUSTOMER_MANAGED_KMS_KEY" },
      logging_configuration: { level: "ALL", include_execution_data: false },
    });
    const definition = await resolveTemplate(String(machine["definition"]), async (path) => ({
      value: path[1] === "aws_partition" ? "aws" : "arn:check",
      rest: [],
    }));
    const expected = pieceDefinition({ partition: "aws", functionArn: "arn:check", pieces: PIECES });
    expect(JSON.parse(String(definition))).toEqual(expected);
    expect(expected.States.ReadPieces).toMatchObject({
      MaxConcurrency: PIECES,
      ItemProcessor: { ProcessorConfig: { Mode: "DISTRIBUTED" } },
    });
    expect(only(functions, "aws_cloudwatch_log_group", `${entry}-machine-log`)).toMatchObject({
      name: expect.stringMatching(/^\/aws\/vendedlogs\/states\//),
      kms_key_id: expect.anything(),
      retention_in_days: 365,
    });
  });

  test("its function knows the number of pieces", () => {
    expect(only(functions, "aws_lambda_function", entry)).toMatchObject({
      environment: { variables: { CHECK_PIECES: String(PIECES) } },
    });
  });

  test("the machine's role calls this function, starts and watches its own pieces, and nothing else", () => {
    expect(statements(functions, access).map(({ sid }) => sid)).toEqual([
      "Function",
      "Pieces",
      "PiecesUnderWay",
      "DataKey",
      "DataKeyOfLogs",
      "Logging",
    ]);
    const { resources } = statement(functions, access, "Function");
    expect(resources).toEqual([expect.stringContaining(`aws_lambda_function.${entry}.`)]);
    expect(statement(functions, access, "Pieces").resources).toEqual([machineArn]);
    const executions = expect.stringMatching(new RegExp(`:stateMachine:${machineName}/\\*$`));
    const dataKey = statement(functions, access, "DataKey");
    const encrypted = conditionOf(dataKey, "kms:EncryptionContext:aws:states:stateMachineArn");
    expect(encrypted).toMatchObject({ test: "ArnLike", values: [machineArn, executions] });
    const trust = statement(functions, `${entry}-machine-trust`, "MachineOfThisProject");
    expect(trust.principals).toEqual([{ type: "Service", identifiers: ["states.amazonaws.com"] }]);
    expect(conditionOf(trust, "aws:SourceArn")?.values).toEqual([machineArn, executions]);
  });

  test("only this check reads and writes what its pieces have read, and it is removed after a week", () => {
    const pieces = [expect.stringMatching(new RegExp(`/${prefix}\\*$`))];
    const users = allStatements(functions).filter(({ resources = [] }) =>
      resources.some((arn) => arn.endsWith(`/${prefix}*`)),
    );
    expect(users.map(({ sid, documentId }) => [sid, documentId])).toEqual([["Pieces", `${ROLES[role]}-access-policy`]]);
    expect(users[0]).toMatchObject({ actions: ["s3:GetObject", "s3:PutObject"], resources: pieces });
    const others = allStatements(data).filter(
      ({ effect, resources = [] }) => effect === "Deny" && resources.some((arn) => arn.endsWith(`/${prefix}*`)),
    );
    expect(others).toMatchObject([{ sid: expect.stringMatching(/^OnlyPiecesOf/), resources: pieces }]);
    const lifecycle = JSON.stringify(only(data, "aws_s3_bucket_lifecycle_configuration", "payment-exports-lifecycle"));
    expect(lifecycle).toContain(`"${prefix}"`);
    const endpoint = allStatements(network).filter(({ resources = [] }) =>
      resources.some((arn) => arn.endsWith(`/${prefix}*`)),
    );
    expect(endpoint.map(({ sid }) => sid)).toEqual(["ReadExports", "WriteChecks"]);
  });
});

test("the data key and the key of the logs serve each machine", () => {
  const [use] = allStatements(security).filter(({ sid }) => sid === "PieceMachines");
  const machines = use && conditionOf(use, "kms:EncryptionContext:aws:states:stateMachineArn");
  // Each machine, and the executions of its map.
  expect(machines?.values).toEqual(
    CHECKS.flatMap(([, , machine]) => [
      expect.stringMatching(new RegExp(`stateMachine:${machine}$`)),
      expect.stringMatching(new RegExp(`stateMachine:${machine}/\\*$`)),
    ]),
  );
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
  for (const text of ["aws_sfn_state_machine", "states:", "/pieces/", "-pieces"]) expect(all).not.toContain(text);
});
