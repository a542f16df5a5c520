/** Refusals in the form and the words in which AWS services send them, so that SDKs and people read them as on AWS. */

import type http from "node:http";
import type { ApiCall } from "./api-call";
import type { Authorisation } from "./authorisation";
import type { Principal } from "./evaluate";

export interface AwsRefusal {
  readonly status: number;
  /** `AccessDenied`; the JSON services add `Exception`. */
  readonly code: string;
  readonly message: string;
}

export function refusalOf({ caller, action, resource }: Authorisation, reason: string): AwsRefusal {
  const on = resource === "*" ? "" : ` on resource: ${resource}`;
  return {
    status: 403,
    code: "AccessDenied",
    message: `User: ${nameOf(caller)} is not authorized to perform: ${action}${on} ${reason}`,
  };
}

/** Nobody signed, or somebody whom the account does not know. */
export function unrecognised({ accessKeyId, protocol }: ApiCall, known: readonly string[]): AwsRefusal {
  const message =
    accessKeyId === undefined
      ? "The request is not signed."
      : `The access key id ${accessKeyId} is nobody's here. On the embedded AWS it is one of ${known.join(", ")}.`;
  const code =
    protocol === "rest-xml"
      ? "InvalidAccessKeyId"
      : protocol === "query"
        ? "InvalidClientTokenId"
        : "UnrecognizedClient";
  return { status: 403, code, message };
}

export function writeRefusal(response: http.ServerResponse, call: ApiCall, refusal: AwsRefusal): void {
  const { status, headers, body } = FORMS[call.protocol](refusal);
  const bytes = Buffer.from(call.method === "HEAD" ? "" : body);
  response.writeHead(status, { ...headers, "content-length": bytes.length, "x-amzn-requestid": "permissions" });
  response.end(bytes);
}

interface RefusalResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const FORMS: Readonly<Record<ApiCall["protocol"], (refusal: AwsRefusal) => RefusalResponse>> = {
  json: ({ status, code, message }) => ({
    status: status === 403 ? 400 : status,
    headers: { "content-type": "application/x-amz-json-1.0" },
    body: JSON.stringify({ __type: `com.amazon.coral.service#${code}Exception`, Message: message, message }),
  }),
  "rest-json": ({ status, code, message }) => ({
    status,
    headers: { "content-type": "application/json", "x-amzn-errortype": `${code}Exception` },
    body: JSON.stringify({ Message: message, message }),
  }),
  "rest-xml": ({ status, code, message }) => ({
    status,
    headers: { "content-type": "application/xml" },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${xmlText(message)}</Message></Error>`,
  }),
  query: ({ status, code, message }) => ({
    status,
    headers: { "content-type": "text/xml" },
    body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${xmlText(message)}</Message></Error></ErrorResponse>`,
  }),
};

function nameOf(caller: Principal): string {
  if (caller.kind === "service") return caller.name;
  return caller.kind === "role" ? caller.sessionArn : caller.arn;
}

function xmlText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
