/**
 * What EventBridge Scheduler does every minute on AWS and nobody does on the embedded AWS: it starts the function that
 * appends a heartbeat to the log and publishes a checkpoint.
 */

import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { embeddedState } from "../local/embedded-state";
import { credentialsOf } from "../local/iam/identities";
import { loadConfig } from "../stacks/config/load";
import { namesOf } from "../stacks/config/names";

/** @returns false, having done nothing, when the command does not talk to the embedded AWS. */
export async function publishOnEmbedded(): Promise<boolean> {
  const state = await embeddedState();
  if (state === undefined || state.endpoint !== process.env["AWS_ENDPOINT_URL"]) return false;
  const lambda = new LambdaClient({
    endpoint: state.endpoint,
    region: state.region,
    credentials: credentialsOf("operator"),
  });
  const FunctionName = namesOf(loadConfig()).functions.publishCheckpoint;
  await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ kind: "heartbeat" }) }));
  lambda.destroy();
  return true;
}
