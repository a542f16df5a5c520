/** Names of the people who use a deployment on the embedded AWS, and how each signs. */

export const PEOPLE = ["administrator", "auditor", "operator", "payment-service"] as const;
export type PersonId = (typeof PEOPLE)[number];

export const DEFAULT_PERSON: PersonId = "administrator";

export function isPerson(id: string): id is PersonId {
  return PEOPLE.some((person) => person === id);
}

/** On the embedded AWS, the access key id says who somebody is; nothing checks the secret. */
export function credentialsOf(person: PersonId): { readonly accessKeyId: string; readonly secretAccessKey: string } {
  return { accessKeyId: person, secretAccessKey: "embedded" };
}
