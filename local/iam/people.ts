/**
 * The people who use a deployment on the embedded AWS. Each signs with an access key id that is the identity's name, and has
 * the managed policy that the stacks ship for such a user; the administrator may do everything that a resource's own policy
 * does not refuse.
 */

import type { EffectivePolicies, PolicyInForce } from "./effective";
import { inForce } from "./effective";
import type { PersonId } from "./identities";

/** Logical names of the managed policies in the plan. */
const POLICY_NAMES: Readonly<Record<Exclude<PersonId, "administrator">, string>> = {
  auditor: "auditor-access",
  operator: "operator-access",
  "payment-service": "payment-service-access",
};

const EVERYTHING = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Sid: "Administrator", Effect: "Allow", Action: "*", Resource: "*" }],
});

export function personArn(person: PersonId, { place }: EffectivePolicies): string {
  return `arn:aws:iam::${place.account}:user/${person}`;
}

/** Gives each person the policy of the plan. Where the plan has none, as a test's own stacks, the person may do nothing. */
export function addPeople(policies: EffectivePolicies): void {
  policies.people.set(personArn("administrator", policies), [inForce(EVERYTHING, "the administrator's policy")]);
  for (const [person, name] of Object.entries(POLICY_NAMES) as [keyof typeof POLICY_NAMES, string][]) {
    policies.people.set(personArn(person, policies), policyNamed(name, policies));
  }
}

function policyNamed(name: string, { resources, managed }: EffectivePolicies): PolicyInForce[] {
  const found = resources.find(({ block }) => block.type === "aws_iam_policy" && block.name === name);
  const policy = managed.get(String(found?.attributes["arn"]));
  return policy === undefined ? [] : [policy];
}
