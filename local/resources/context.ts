/** What the function that creates one type of resource gets besides the arguments. */
import type { AwsClientConfig } from "../embedded-aws";
import type { TerraformObject } from "../terraform-expression";
import type { Arguments } from "./arguments";

export interface DeployContext {
  readonly account: string;
  readonly region: string;
  readonly partition: string;
  /** One client a service, made on first use. */
  client<Client>(type: new (config: AwsClientConfig) => Client): Client;
  /** Zip files made by `data.archive_file`, by their output path. */
  readonly archives: Map<string, Uint8Array>;
  /** Waiting that nothing else depends on, done for all resources at once when everything is created. */
  afterwards(wait: () => Promise<unknown>): void;
  /** Turns the environment that the plan gives a function into the one it gets here. */
  functionEnvironment(functionName: string, planned: Readonly<Record<string, string>>): Promise<Record<string, string>>;
}

/** Creates the resource and returns the attributes that others may refer to; its arguments are added to them. */
export type Create = (args: Arguments, context: DeployContext) => Promise<TerraformObject>;

export type CreateByType = Readonly<Record<string, Create>>;

export function arn(context: DeployContext, service: string, resource: string): string {
  return `arn:${context.partition}:${service}:${context.region}:${context.account}:${resource}`;
}

/** The SDK marks nearly every answer's field as optional; one that AWS always sends must be there. */
export function present<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new Error(`the endpoint's answer lacks ${what}`);
  return value;
}
