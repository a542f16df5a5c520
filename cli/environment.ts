/** What the chosen environment is called on AWS, and where it lies. */

import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { loadConfig } from "../stacks/config/load";
import { type BucketId, bucketNamesOf } from "../stacks/config/names";

/** Bucket names end with the number of the account that the credentials belong to. */
export async function bucketsOfEnvironment(): Promise<Readonly<Record<BucketId, string>>> {
  return bucketNamesOf(loadConfig(), await accountId());
}

export async function accountId(): Promise<string> {
  const { Account } = await new STSClient({}).send(new GetCallerIdentityCommand({}));
  if (Account === undefined) throw new Error("AWS answered GetCallerIdentity without an account.");
  return Account;
}
