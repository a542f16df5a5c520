/** What AWS authorises for calls of KMS, SQS, Lambda and the services that people use beside them. */

import { type ApiCall, firstText, mapIn } from "./api-call";
import type { Authorisation } from "./authorisation";
import type { EffectivePolicies } from "./effective";
import { queueKeyUses } from "./key-uses";
import { authorisationOf, type RequestingCaller } from "./requests";

export function kmsAuthorisations({ input, operation = "" }: ApiCall, requester: RequestingCaller): Authorisation[] {
  const { policies } = requester;
  const keyId = firstText(input, "KeyId", "TargetKeyId");
  const context: Record<string, string> = { "kms:CallerAccount": policies.place.account };
  for (const [name, value] of Object.entries(mapIn(input, "EncryptionContext"))) {
    context[`kms:EncryptionContext:${name}`] = String(value);
  }
  for (const name of ["MacAlgorithm", "MessageType", "SigningAlgorithm"]) {
    const value = firstText(input, name);
    if (value !== undefined) context[`kms:${name}`] = value;
  }
  const resource = keyId === undefined ? "*" : policies.keyArn(keyId);
  return [authorisationOf(`kms:${operation}`, resource, requester, context)];
}

/** SQS has no permission for a batch: it is that of its entries. */
const BATCHES: Readonly<Record<string, string>> = {
  ChangeMessageVisibilityBatch: "ChangeMessageVisibility",
  DeleteMessageBatch: "DeleteMessage",
  SendMessageBatch: "SendMessage",
};
const QUEUE_KEY_ACTIONS: Readonly<Record<string, readonly string[]>> = {
  SendMessage: ["kms:GenerateDataKey", "kms:Decrypt"],
  ReceiveMessage: ["kms:Decrypt"],
};

export function sqsAuthorisations({ input, operation = "" }: ApiCall, requester: RequestingCaller): Authorisation[] {
  const { policies, caller } = requester;
  const action = BATCHES[operation] ?? operation;
  const name = firstText(input, "QueueName") ?? firstText(input, "QueueUrl")?.split("/").pop();
  const queueArn = firstText(input, "SourceArn") ?? (name === undefined ? "*" : policies.arn("sqs", name));
  const because = "SQS encrypts or decrypts the message";
  return [
    authorisationOf(`sqs:${action}`, queueArn, requester),
    ...queueKeyUses(policies, {
      caller: caller.principal,
      arn: queueArn,
      because,
      actions: QUEUE_KEY_ACTIONS[action] ?? [],
    }),
  ];
}

/** Method, path below the API's version, and action; the first group of the path is the function. */
const LAMBDA_ACTIONS: readonly (readonly [method: string, path: RegExp, action: string])[] = [
  ["POST", /^\/functions\/([^/]+)\/invocations$/, "InvokeFunction"],
  ["GET", /^\/functions\/?$/, "ListFunctions"],
  ["POST", /^\/functions\/?$/, "CreateFunction"],
  ["GET", /^\/functions\/([^/]+)$/, "GetFunction"],
  ["DELETE", /^\/functions\/([^/]+)$/, "DeleteFunction"],
  ["PUT", /^\/functions\/([^/]+)\/code$/, "UpdateFunctionCode"],
  ["GET", /^\/functions\/([^/]+)\/configuration$/, "GetFunctionConfiguration"],
  ["PUT", /^\/functions\/([^/]+)\/configuration$/, "UpdateFunctionConfiguration"],
  ["GET", /^\/functions\/([^/]+)\/policy$/, "GetPolicy"],
  ["POST", /^\/functions\/([^/]+)\/policy$/, "AddPermission"],
  ["DELETE", /^\/functions\/([^/]+)\/policy\/[^/]+$/, "RemovePermission"],
  ["GET", /^\/event-source-mappings\/?$/, "ListEventSourceMappings"],
];

export function lambdaAuthorisations(call: ApiCall, requester: RequestingCaller): Authorisation[] {
  const path = call.path.replace(/^\/\d{4}-\d{2}-\d{2}/, "");
  for (const [method, pattern, action] of LAMBDA_ACTIONS) {
    const found = method === call.method ? pattern.exec(path) : null;
    if (found === null) continue;
    const name = found[1] === undefined ? undefined : decodeURIComponent(found[1]);
    const resource =
      name === undefined ? "*" : name.startsWith("arn:") ? name : requester.policies.arn("lambda", `function:${name}`);
    return [authorisationOf(`lambda:${action}`, resource, requester)];
  }
  return anyOther(call, requester);
}

/** Whose permissions have other names than the signatures of their calls. */
const PERMISSION_PREFIXES: Readonly<Record<string, string>> = { monitoring: "cloudwatch", email: "ses" };

/**
 * Any other service: by the operation's name, which is the action's for nearly all of them. A call that names none gets an
 * action that no policy can name, so that only who may do everything there passes.
 */
export function anyOther(call: ApiCall, requester: RequestingCaller): Authorisation[] {
  const service = PERMISSION_PREFIXES[call.service] ?? call.service;
  const action = `${service}:${call.operation ?? `${call.method} ${call.path}`}`;
  return [authorisationOf(action, resourceIn(call, requester.policies), requester)];
}

function resourceIn({ service, input }: ApiCall, policies: EffectivePolicies): string {
  const group = firstText(input, "logGroupName");
  if (service === "logs" && group !== undefined) return policies.arn("logs", `log-group:${group}`);
  const role = firstText(input, "RoleName");
  if (service === "iam" && role !== undefined) return `arn:aws:iam::${policies.place.account}:role/${role}`;
  return firstText(input, "TopicArn", "PolicyArn", "RoleArn") ?? "*";
}
