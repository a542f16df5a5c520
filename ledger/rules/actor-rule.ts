/** Whether the claimed actor is who called, where the configuration asks for it. Pure. */

/** In a list of actors: every actor. */
const ANY_ACTOR = "*";

/**
 * For principals that may name other actors than their session: those actors, by the id that AWS gave the role or the user
 * (`AROA...`, `AIDA...`). A principal that is not here may name its session's name alone.
 */
export type ActorRule = Readonly<Record<string, readonly string[]>>;

/**
 * Why the claim is not accepted, if it is not.
 * @param principal as the way in states it: SQS and API Gateway write `AROA...:session`, S3 writes `AWS:AROA...:session`. Undefined
 * where the way in states none.
 * @param actor undefined where none is claimed.
 */
export function actorFault(
  rule: ActorRule,
  principal: string | undefined,
  actor: string | undefined,
): "CALLER_UNKNOWN" | "ACTOR_NOT_CALLER" | undefined {
  if (principal === undefined) return "CALLER_UNKNOWN";
  if (actor === undefined) return undefined;
  const [id = "", session] = principal.replace(/^AWS:/, "").split(":");
  const listed = Object.hasOwn(rule, id) ? rule[id] : undefined;
  const isAllowed = listed === undefined ? actor === session : listed.includes(ANY_ACTOR) || listed.includes(actor);
  return isAllowed ? undefined : "ACTOR_NOT_CALLER";
}
