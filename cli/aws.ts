/** Which AWS a command talks to, and as whom: the options that AWS users know, and the embedded AWS when it is up. */

import type { CommandArguments, CommandBody, Options, Output } from "../evidence/commands/command";
import { UsageError } from "../evidence/commands/errors";
import { nearest } from "../evidence/commands/nearest";
import { embeddedState, shellVariablesOf } from "../local/embedded-state";
import { isPerson, PEOPLE, type PersonId } from "../local/iam/identities";
import { loadConfig } from "../stacks/config/load";

const section = "AWS";
export const AWS_OPTIONS: Options = {
  profile: { kind: "one", value: "NAME", about: "Profile of the AWS configuration.", section },
  region: { kind: "one", value: "REGION", about: "AWS region.", section },
  env: { kind: "one", value: "NAME", about: "Environment of the ledger: dev (default) or prod.", section },
  "endpoint-url": { kind: "one", value: "URL", about: "Another endpoint than AWS.", section },
  as: {
    kind: "one",
    value: "PERSON",
    about: `Who you are on the embedded AWS: ${PEOPLE.join(", ")}. Default: administrator.`,
    section,
  },
};

/** Gives a command the options of AWS; they are in force when it runs. */
export function onAws(command: CommandBody): CommandBody {
  return {
    ...command,
    options: { ...command.options, ...AWS_OPTIONS },
    run: async (args, terminal) => {
      await useAws(args, terminal);
      return command.run(args, terminal);
    },
  };
}

/**
 * Sets the environment variables that the SDK and the configuration read. When no option and no variable names an
 * endpoint, and no option a profile or a region, an embedded AWS that is up is used, and a message says so.
 */
export async function useAws(args: CommandArguments, { tell }: Pick<Output, "tell">): Promise<void> {
  const { env: variables } = process;
  const set = (name: string, value: string | undefined) => {
    if (value !== undefined) variables[name] = value;
  };
  const [profile, region, endpoint] = [args.one("profile"), args.one("region"), args.one("endpoint-url")];
  set("PAYMENT_LEDGER_ENV", args.one("env"));
  set("AWS_PROFILE", profile);
  set("AWS_REGION", region);
  set("AWS_ENDPOINT_URL", endpoint);
  // As for the AWS CLI, a profile that is named goes before credentials that lie in the environment.
  if (profile !== undefined) {
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]) delete variables[name];
  }
  const isNamed = [profile, region, endpoint].some((value) => value !== undefined) || !!variables["AWS_ENDPOINT_URL"];
  const person = personOf(args);
  const state = isNamed ? undefined : await embeddedState();
  if (state !== undefined) {
    for (const name of ["AWS_PROFILE", "AWS_SESSION_TOKEN"]) delete variables[name];
    Object.assign(variables, shellVariablesOf(state, person ?? "administrator"));
    tell(`On the embedded AWS (${state.endpoint}), as ${person ?? "administrator"}.`);
  } else if (person !== undefined) {
    throw new UsageError("--as is for the embedded AWS, which is not up or not in use. Bring it up: npx payledger up.");
  }
  // Every command refuses a wrong configuration with the same words, also one that needs little of it.
  loadConfig();
  // The AWS CLI version 1 and other SDKs know the region by this name only.
  if (!variables["AWS_REGION"]) set("AWS_REGION", variables["AWS_DEFAULT_REGION"]);
}

/** @throws UsageError for nobody's name. */
export function personOf(args: CommandArguments): PersonId | undefined {
  const name = args.one("as");
  if (name === undefined || isPerson(name)) return name;
  const close = nearest(name, PEOPLE);
  throw new UsageError(`--as is one of ${PEOPLE.join(", ")}.${close === undefined ? "" : ` Did you mean ${close}?`}`);
}
