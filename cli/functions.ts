/** Calls of the deployed functions. */

import { LambdaClient } from "@aws-sdk/client-lambda";
import { invokeFunction, LedgerCallFailed } from "../client/invoke";
import type { FunctionId } from "../contract";
import { loadConfig } from "../stacks/config/load";
import { namesOf } from "../stacks/config/names";
import { CommandError } from "./errors";

/**
 * Invokes a function of the environment and waits for its answer.
 * @throws CommandError FUNCTION_FAILED when it threw: a technical fault, after which the same call may be made again.
 */
export async function callFunction<Answer>(id: FunctionId, payload: object): Promise<Answer> {
  const name = namesOf(loadConfig()).functions[id];
  try {
    return (await invokeFunction(new LambdaClient({}), name, payload)) as Answer;
  } catch (error) {
    if (!(error instanceof LedgerCallFailed)) throw error;
    const { errorType } = error;
    throw new CommandError(
      "FUNCTION_FAILED",
      `${name} failed${errorType === undefined ? "" : ` (${errorType})`}. It is safe to send the same again. Its log says why: npx payledger logs ${name}`,
    );
  }
}
