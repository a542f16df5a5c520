/** What an error means to the user of a command: one message with its remedy, and an exit code. */

import { CodedError } from "../contract";
import { explainEvidence } from "../evidence/commands/cli";
import { NOT_DONE } from "../evidence/commands/errors";
import type { Explained } from "../evidence/commands/program";

export function explainError(error: unknown): Explained | undefined {
  const known = explainEvidence(error);
  if (known !== undefined) return known;
  if (!(error instanceof Error)) return undefined;
  const message = error instanceof CodedError ? error.message : awsMessage(error);
  return message === undefined ? undefined : { message, exitCode: NOT_DONE };
}

const NO_CREDENTIALS =
  "No AWS credentials were found. Set AWS_PROFILE or --profile (aws sso login renews an expired session), or try everything without an account: npx payledger up.";
const NO_REGION = "No AWS region is set. Give --region, for example --region us-east-1, or set AWS_REGION.";

/** By the error's name: what AWS, its SDK or the network says. */
const BY_NAME: Readonly<Record<string, string>> = {
  CredentialsProviderError: NO_CREDENTIALS,
  TokenProviderError: NO_CREDENTIALS,
  ExpiredToken: "The AWS session has expired. Sign in again, for example with aws sso login.",
  ExpiredTokenException: "The AWS session has expired. Sign in again, for example with aws sso login.",
  UnrecognizedClientException: "AWS does not know these credentials. Check AWS_PROFILE or --profile, and the endpoint.",
  InvalidClientTokenId: "AWS does not know these credentials. Check AWS_PROFILE or --profile, and the endpoint.",
  InvalidAccessKeyId: "AWS does not know these credentials. Check AWS_PROFILE or --profile, and the endpoint.",
  InvalidSignatureException:
    "AWS refuses the signature: the secret key is wrong, or this machine's clock is. npx payledger doctor compares the clock.",
  RequestTimeTooSkewed: "This machine's clock is wrong by minutes, and AWS refuses its calls. Set the clock.",
};

const NETWORK_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);

const MISSING_NAMES: ReadonlySet<string> = new Set([
  "ResourceNotFoundException",
  "QueueDoesNotExist",
  "AWS.SimpleQueueService.NonExistentQueue",
  "NoSuchBucket",
  "NotFoundException",
]);

function awsMessage(error: Error): string | undefined {
  const { name, message } = error;
  const code = (error as { code?: unknown }).code;
  if (message.includes("Region is missing")) return NO_REGION;
  if (Object.hasOwn(BY_NAME, name)) return BY_NAME[name];
  if (message.includes("Could not load credentials")) return NO_CREDENTIALS;
  if (typeof code === "string" && NETWORK_CODES.has(code)) return unreachable(code);
  if (
    /^Could not resolve credentials|could not be found in (the )?(parsed )?(shared )?credentials|Profile .* could not be found|profile .* requires/i.test(
      message,
    )
  ) {
    return `${message} Check AWS_PROFILE or --profile.`;
  }
  if (MISSING_NAMES.has(name)) return `${message}\n${whereLooked()}`;
  if (/AccessDenied|UnauthorizedOperation|AuthorizationError/.test(name)) {
    return `${message}\nThe credentials in use do not allow this. docs/usage.md#who-may-do-what names the policies that the stacks ship; on the embedded AWS --as says who you are.`;
  }
  // Every other answer of AWS is its own to explain.
  return "$metadata" in error ? `${name}: ${message}` : undefined;
}

function unreachable(code: string): string {
  const endpoint = process.env["AWS_ENDPOINT_URL"];
  if (endpoint === undefined || endpoint === "") {
    return `AWS cannot be reached (${code}). Check the network, --region and --profile.`;
  }
  return `Nothing answers at ${endpoint} (${code}), which AWS_ENDPOINT_URL or --endpoint-url names. If it was the embedded AWS, it is gone: unset AWS_ENDPOINT_URL, and npx payledger up brings it up again.`;
}

function whereLooked(): string {
  const { AWS_REGION: region, AWS_ENDPOINT_URL: endpoint, PAYMENT_LEDGER_ENV: environment = "dev" } = process.env;
  const place = endpoint ? `at ${endpoint}` : `in region ${region ?? "of the profile"}`;
  return `Looked for the environment ${environment} ${place}. --env, --region, --profile and --endpoint-url name another.`;
}
