/** Which claimed actors are accepted of which callers. */

import { type ActorRule, actorFault } from "../../../ledger/rules/actor-rule";

const RULE: ActorRule = {
  AROASERVICE: ["checkout", "refunds"],
  AROAGATEWAY: ["*"],
  AIDAUSER: ["alice"],
  AROALOCKED: [],
};

test.each([
  ["the name of the session", "AROAPEOPLE:alice", "alice"],
  ["the name of the session, as S3 writes it", "AWS:AROAPEOPLE:alice", "alice"],
  ["a listed actor", "AROASERVICE:i-0123", "refunds"],
  ["a listed actor, as S3 writes the caller", "AWS:AROASERVICE:i-0123", "checkout"],
  ["any actor, where the list says so", "AROAGATEWAY:i-0123", "whoever"],
  ["the actor of a user, who has no session", "AIDAUSER", "alice"],
  ["no claim", "AROALOCKED:x", undefined],
])("%s is accepted", (_, principal, actor) => {
  expect(actorFault(RULE, principal, actor)).toBeUndefined();
});

test.each([
  ["another actor than the session", "AROAPEOPLE:mallory", "cfo"],
  ["the session's name of a principal whose actors are listed", "AROASERVICE:cfo", "cfo"],
  ["every actor of a principal with an empty list", "AROALOCKED:alice", "alice"],
  ["an actor of a user without a list", "AIDAOTHER", "AIDAOTHER"],
  ["a session whose name was withheld", "AROAPEOPLE:(withheld)", "alice"],
  ["a principal that was withheld", "(withheld)", "alice"],
  ["a name that objects inherit", "constructor:cfo", "alice"],
])("%s is refused", (_, principal, actor) => {
  expect(actorFault(RULE, principal, actor)).toBe("ACTOR_NOT_CALLER");
});

test("without a principal nothing is accepted, whatever is claimed", () => {
  expect([actorFault({}, undefined, "alice"), actorFault({}, undefined, undefined)]).toEqual([
    "CALLER_UNKNOWN",
    "CALLER_UNKNOWN",
  ]);
});
