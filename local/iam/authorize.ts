/** What AWS authorises for one call. */

import type { ApiCall } from "./api-call";
import type { Authorisation, CallingIdentity, EndpointService } from "./authorisation";
import { dynamodbAuthorisations } from "./dynamodb-calls";
import type { EffectivePolicies } from "./effective";
import { anyOther, kmsAuthorisations, lambdaAuthorisations, sqsAuthorisations } from "./other-calls";
import type { RequestingCaller } from "./requests";
import { absenceQuestions, s3Authorisations } from "./s3-calls";

const BY_SERVICE: Readonly<Record<string, typeof dynamodbAuthorisations>> = {
  dynamodb: dynamodbAuthorisations,
  kms: kmsAuthorisations,
  lambda: lambdaAuthorisations,
  s3: s3Authorisations,
  sqs: sqsAuthorisations,
  // Who one is may be asked by everybody; no policy can deny it.
  sts: (call, requester) => (call.operation === "GetCallerIdentity" ? [] : anyOther(call, requester)),
};
const ENDPOINT_SERVICES: readonly string[] = ["dynamodb", "kms", "s3"] satisfies EndpointService[];

/** All of them must be allowed, or the call is refused. */
export function authorisationsOf(call: ApiCall, caller: CallingIdentity, policies: EffectivePolicies): Authorisation[] {
  return (BY_SERVICE[call.service] ?? anyOther)(call, askingOf(call, caller, policies));
}

/** Asked after S3 answered 404. */
export function absenceOf(call: ApiCall, caller: CallingIdentity, policies: EffectivePolicies): Authorisation[] {
  return absenceQuestions(call, askingOf(call, caller, policies));
}

function askingOf({ service }: ApiCall, caller: CallingIdentity, policies: EffectivePolicies): RequestingCaller {
  const { functionArn, inVpc } = caller;
  const throughEndpoint = inVpc === true && ENDPOINT_SERVICES.includes(service);
  return {
    policies,
    caller,
    own: {
      context: functionArn === undefined ? {} : { "lambda:SourceFunctionArn": functionArn },
      ...(throughEndpoint && { via: service as EndpointService }),
    },
  };
}
