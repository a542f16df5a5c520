/** Calls of the deployed functions. */

import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
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
  const { FunctionError, Payload } = await new LambdaClient({}).send(
    new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(payload)) }),
  );
  const answer: unknown = JSON.parse(Buffer.from(Payload ?? []).toString("utf8") || "null");
  if (FunctionError === undefined) return answer as Answer;
  const errorType = (answer as { errorType?: unknown } | null)?.errorType;
  throw new CommandError(
    "FUNCTION_FAILED",
    `${name} failed${typeof errorType === "string" ? ` (${errorType})` : ""}. It is safe to send the same again. Its log says why: npx payledger logs ${name}`,
  );
}
