/** An HTTP request to the endpoint, read as a call of an AWS API. */

import type { IncomingHttpHeaders } from "node:http";

export interface ApiCall {
  /** As in the request's signature: `dynamodb`, `s3`, `monitoring`. */
  readonly service: string;
  /** Undefined for the services that name no operation but a method and a path: S3, Lambda, Scheduler. */
  readonly operation: string | undefined;
  readonly method: string;
  /** Path as sent, and the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  /** Members of the JSON body, or parameters of the form. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
  /** How the service writes its answers. */
  readonly protocol: "json" | "rest-json" | "rest-xml" | "query";
  /** Who signed it; undefined where nobody did. */
  readonly accessKeyId: string | undefined;
}

/** Operations of JSON services come as `DynamoDB_20120810.PutItem`; the part before the dot names the service. */
const TARGETS: Readonly<Record<string, string>> = {
  DynamoDB_20120810: "dynamodb",
  DynamoDBStreams_20120810: "dynamodb",
  TrentService: "kms",
  AmazonSQS: "sqs",
  Logs_20140328: "logs",
};

export function readApiCall(method: string, url: string, headers: IncomingHttpHeaders, body: Buffer): ApiCall {
  const { pathname, searchParams: query } = new URL(url, "http://endpoint");
  const single = singleHeaders(headers);
  const target = single["x-amz-target"]?.split(".");
  const signed = scopeOf(single["authorization"] ?? "", query);
  const shared = { method, path: pathname, query, headers: single, body, accessKeyId: signed.accessKeyId };
  if (target !== undefined) {
    const [prefix = "", operation] = target;
    const service = TARGETS[prefix] ?? signed.service ?? prefix;
    return { ...shared, service, operation, input: jsonOf(body), protocol: "json" };
  }
  const form = formOf(single["content-type"], body, query);
  const service = signed.service ?? "s3";
  if (form !== undefined) return { ...shared, service, operation: form["Action"], input: form, protocol: "query" };
  const protocol = service === "s3" ? "rest-xml" : "rest-json";
  return { ...shared, service, operation: undefined, input: protocol === "rest-json" ? jsonOf(body) : {}, protocol };
}

/** `Credential=AKID/20261128/us-east-1/s3/aws4_request`, in the header or in the query of a presigned URL. */
function scopeOf(authorization: string, query: URLSearchParams): { accessKeyId?: string; service?: string } {
  const credential = /Credential=([^,\s]+)/.exec(authorization)?.[1] ?? query.get("X-Amz-Credential") ?? "";
  const [accessKeyId, , , service] = credential.split("/");
  return { ...(accessKeyId && { accessKeyId }), ...(service && { service }) };
}

function formOf(type: string | undefined, body: Buffer, query: URLSearchParams): Record<string, string> | undefined {
  const isForm = type?.startsWith("application/x-www-form-urlencoded") === true;
  const fields = isForm ? new URLSearchParams(body.toString("utf8")) : query;
  return fields.has("Action") ? Object.fromEntries(fields) : undefined;
}

/** A body that is no JSON object names nothing; the service itself refuses it. */
function jsonOf(body: Buffer): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(body.toString("utf8"));
    return isMap(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

function singleHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function firstText(input: Readonly<Record<string, unknown>>, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = input[name];
    if (typeof value === "string") return value;
  }
  return undefined;
}

export function mapIn(input: Readonly<Record<string, unknown>>, name: string): Record<string, unknown> {
  const value = input[name];
  return isMap(value) ? value : {};
}
