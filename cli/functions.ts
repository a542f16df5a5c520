/** Calls of the deployed functions. */

import { LambdaClient } from "@aws-sdk/client-lambda";
import { invokeFunction, LedgerCallFailed } from "../client/invoke";
import type { FunctionId } from "../contract";
import type { RefusedResponse } from "../ledger/rules/responses";
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

interface Page {
  readonly outcome: "answered";
  readonly NextPageToken?: string | undefined;
}

/** Every page of a query, in order; or the refusal of one, without which the answer would be incomplete. */
export async function allPages<Answer extends Page>(
  id: FunctionId,
  query: object,
): Promise<{ readonly pages: readonly [Answer, ...Answer[]] } | { readonly refused: RefusedResponse }> {
  let answer = await callFunction<Answer | RefusedResponse>(id, query);
  if (answer.outcome === "refused") return { refused: answer };
  const pages: [Answer, ...Answer[]] = [answer];
  while (answer.NextPageToken !== undefined) {
    answer = await callFunction<Answer | RefusedResponse>(id, { ...query, PageToken: answer.NextPageToken });
    if (answer.outcome === "refused") return { refused: answer };
    pages.push(answer);
  }
  return { pages };
}
