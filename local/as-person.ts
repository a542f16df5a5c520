/** Runs the project's commands in this process as somebody of a deployment. */

import type { Deployment } from "./deploy";
import { credentialsOf, type PersonId } from "./iam/identities";

/** The commands find endpoint and identity where any AWS tool does: in the environment, which is as before afterwards. */
export async function asPerson(person: PersonId, deployment: Deployment, work: () => Promise<void>): Promise<void> {
  const before = { ...process.env };
  const { accessKeyId, secretAccessKey } = credentialsOf(person);
  const { endpoint } = deployment.clientConfig(person);
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: deployment.region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  });
  for (const name of ["AWS_PROFILE", "AWS_SESSION_TOKEN"]) delete process.env[name];
  try {
    await work();
  } finally {
    process.env = before;
  }
}
