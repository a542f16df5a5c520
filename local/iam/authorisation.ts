/** One question that AWS asks before it carries out a call. A call may need several: one an item, one a key. */

import type { Principal } from "./evaluate";

/** The services that a VPC endpoint of this project leads to. */
export type EndpointService = "dynamodb" | "kms" | "s3";

export interface Authorisation {
  readonly caller: Principal;
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, string | readonly string[]>>;
  /** The call comes through this endpoint of the VPC, whose policy must allow it too. */
  readonly via?: EndpointService;
  /** What asks: the call itself, or what a service does in the caller's name to carry it out. */
  readonly because: string;
}

export type Context = Authorisation["context"];

/** Who makes a call, as AWS knows it. */
export interface CallingIdentity {
  readonly principal: Principal;
  /** Of the function whose code calls. */
  readonly functionArn?: string;
  /** The function runs in the VPC, so its calls come through the endpoints there. */
  readonly inVpc?: boolean;
}

export const THE_CALL = "the call itself";
