/** Invokes a function of the ledger and returns its answer. */

import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import { CodedError } from "../contract";

/** A function failed for a technical reason. What it had recorded before is recorded; the same request may be sent again. */
export class LedgerCallFailed extends CodedError<"FUNCTION_FAILED"> {
  override readonly name = "LedgerCallFailed";

  constructor(
    readonly functionName: string,
    /** What the function threw, for example `TechnicalFault`, or what Lambda says of it, for example `Sandbox.Timedout`. */
    readonly errorType: string | undefined,
  ) {
    super(
      "FUNCTION_FAILED",
      `${functionName} failed${errorType === undefined ? "" : ` (${errorType})`}. A technical fault is no answer. Send the same request again: with the same ids nothing is recorded twice.`,
    );
  }
}

/**
 * @throws LedgerCallFailed if the function threw.
 * @throws the SDK's own error if Lambda did not take the call.
 */
export async function invokeFunction(lambda: LambdaClient, functionName: string, request: object): Promise<unknown> {
  const { FunctionError, Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(JSON.stringify(request)) }),
  );
  const answer: unknown = JSON.parse(Buffer.from(Payload ?? []).toString("utf8") || "null");
  if (FunctionError === undefined) return answer;
  const errorType = (answer as { errorType?: unknown } | null)?.errorType;
  throw new LedgerCallFailed(functionName, typeof errorType === "string" ? errorType : undefined);
}
