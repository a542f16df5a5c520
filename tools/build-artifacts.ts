/** Everything that the stacks ship and do not make themselves. */

import type { Artifacts } from "../stacks/build-app";
import { buildAuditorKit } from "./build-auditor-kit";
import { buildHandlers } from "./build-handlers";

export function buildArtifacts(): Artifacts {
  return { handlerCode: buildHandlers(), auditorKit: buildAuditorKit() };
}
