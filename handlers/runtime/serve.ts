/** Makes a Lambda handler of an operation: cold start, log lines, and the place where technical faults lose everything but their names. */

import type { Context } from "aws-lambda";
import { CodedError, TABLES } from "../../contract";
import type { Call } from "../../ledger/operations/call";
import type { MacKeys } from "../../ledger/rules/record-mac";
import type { OutcomeCounts } from "../../ledger/rules/responses";
import { deriveMacKeys, FieldEncryption } from "../../ledger/store/key-material";
import type { Services } from "../../ledger/store/services";
import { dynamoClient, kmsClient } from "./clients";
import type { Environment } from "./environment";
import type { LogFields, Observer } from "./observe";
import { ENVIRONMENT, OBSERVER } from "./process";

export type Operation<Response> = (event: unknown, call: Call, services: Services) => Promise<Response>;

/**
 * A technical fault. It is thrown, so that the caller or the platform tries again. It carries the original error's name only,
 * because Lambda logs every property of a thrown error, and errors of the SDK contain items.
 */
export class TechnicalFault extends CodedError<"TECHNICAL_FAULT"> {
  override readonly name = "TechnicalFault";

  constructor(errorName: string) {
    super(
      "TECHNICAL_FAULT",
      `The call failed for a technical reason (${errorName}). What was answered before is recorded; nothing else is. Send the same request again.`,
    );
  }
}

/** @param operationName the function's name without suffix, as audit records state it. */
export function serve<Response extends object>(operationName: string, operation: Operation<Response>) {
  const services = makeServices(ENVIRONMENT, OBSERVER);
  return async (event: unknown, context: Context): Promise<Response> => {
    const startedAt = Date.now();
    const requestId = context.awsRequestId;
    const noted: LogFields = {};
    const call: Call = {
      operation: operationName,
      caller: { requestId, functionName: ENVIRONMENT.functionName },
      now: new Date(),
      remainingMs: () => context.getRemainingTimeInMillis(),
      noteOutcomes: (counts) => {
        for (const [outcome, count] of Object.entries(counts)) add(noted, outcome as keyof OutcomeCounts, count);
      },
    };
    try {
      const response = await operation(event, call, services);
      OBSERVER.info("answered", requestId, {
        operation: operationName,
        ...noted,
        ...summaryOf(response),
        durationMs: Date.now() - startedAt,
      });
      return response;
    } catch (error) {
      const errorName = nameOf(error);
      OBSERVER.error("failed", requestId, {
        operation: operationName,
        errorName,
        // A literal of the code, which the runbook explains.
        ...(error instanceof CodedError ? { code: error.code } : {}),
        ...noted,
        durationMs: Date.now() - startedAt,
      });
      throw new TechnicalFault(errorName);
    } finally {
      OBSERVER.flush();
    }
  };
}

function makeServices(environment: Environment, observer: Observer): Services {
  const kms = kmsClient();
  const hierarchy = environment.fieldEncryption === "cached" ? "shared" : "perRecord";
  const { paymentLedger, paymentAuditTrail } = TABLES;
  return {
    dynamo: dynamoClient(),
    tables: environment.tables,
    tokenFields: new FieldEncryption({
      kms,
      keyArn: environment.tokenKeyArn,
      table: paymentLedger.logicalName,
      hierarchy,
    }),
    auditFields: new FieldEncryption({
      kms,
      keyArn: environment.auditKeyArn,
      table: paymentAuditTrail.logicalName,
      hierarchy,
    }),
    macKeys: onceUnlessFailed(() => deriveMacKeys(kms, environment.macKeyArn)),
    indexShardCount: environment.indexShardCount,
    privateApi: environment.privateApi,
    ...(environment.actorRule === undefined ? {} : { actorRule: environment.actorRule }),
    signal: observer.signal,
    logFault: (error) => observer.error("part of a batch failed", "", { errorName: nameOf(error) }),
  };
}

/** The keys are derived once per execution environment; a failed attempt is not kept. */
function onceUnlessFailed(make: () => Promise<MacKeys>): () => Promise<MacKeys> {
  let made: Promise<MacKeys> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

/** Class names come from code, never from input; anything else is not repeated. */
function nameOf(error: unknown): string {
  return error instanceof Error && /^[A-Za-z]{1,64}$/.test(error.name) ? error.name : "UnknownError";
}

/** The first note of a call brings all four counts, so that a line of messages or files never lacks one. */
function add(noted: LogFields, outcome: keyof OutcomeCounts, count: number): void {
  for (const each of ["stored", "duplicate", "conflict", "refused"] as const) noted[each] ??= 0;
  noted[outcome] = Number(noted[outcome]) + count;
}

function summaryOf(response: object): LogFields {
  const { outcome, statusCode, code, counts, payments, records, batchItemFailures } = response as {
    outcome?: string;
    statusCode?: number;
    code?: string;
    counts?: LogFields;
    payments?: readonly unknown[];
    records?: readonly unknown[];
    batchItemFailures?: readonly unknown[];
  };
  const returned = payments ?? records;
  return {
    ...(outcome === undefined ? {} : { outcome }),
    ...(statusCode === undefined ? {} : { statusCode }),
    ...(code === undefined ? {} : { code }),
    ...(returned === undefined ? {} : { returned: returned.length }),
    ...(batchItemFailures === undefined ? {} : { failed: batchItemFailures.length }),
    ...counts,
  };
}
