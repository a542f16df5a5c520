/**
 * A function's credentials. Lambda gives them in environment variables, so the bundles hold this file in place of the
 * SDK's `@aws-sdk/credential-provider-node`, which searches profiles, SSO and metadata services too: 250 KB that no
 * function uses. `tools/build-handlers.ts` puts it there.
 */

import { fromEnv } from "@aws-sdk/credential-provider-env";
import { CodedError } from "../../contract";

export class CredentialsError extends CodedError<"NO_CREDENTIALS"> {
  override readonly name = "CredentialsError";

  constructor() {
    super(
      "NO_CREDENTIALS",
      "The environment variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are missing. Lambda sets them for the function's role; outside Lambda, set them before the start.",
    );
  }
}

/**
 * Has the name that the SDK's clients import. The provider that it returns throws CredentialsError. Lambda sets the
 * variables once for a process, so they are read once: the SDK asks for each request.
 */
export function defaultProvider() {
  const provider = fromEnv();
  let credentials: Awaited<ReturnType<typeof provider>> | undefined;
  return async () => {
    try {
      credentials ??= await provider();
      return credentials;
    } catch {
      throw new CredentialsError();
    }
  };
}
