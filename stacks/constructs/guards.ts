/** Reports each call that changes or removes a protection to the alarm topic. */

import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { CloudwatchEventTarget } from "@cdktf/provider-aws/lib/cloudwatch-event-target";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { Fn } from "cdktf";
import type { Construct } from "constructs";
import { eventPattern, type GuardRule } from "../guard-rules";
import { assumedBy, policy } from "./policy";

export interface GuardProps {
  readonly rules: readonly GuardRule[];
  /** Deployed name of a rule by its id. */
  readonly ruleName: (id: string) => string;
  readonly topicArn: string;
  readonly region: string;
  readonly accountId: string;
  readonly busArn: string;
  readonly forwardRoleName: string;
}

const MESSAGE = [
  "<who> called <event> on a protection of the payment ledger, from <from>, at <when>, in <region> of account <account>.",
  "Error: <error>. Request: <id>. See docs/runbook.md#guard-changed",
].join(" ");

/** Returns the names of the rules. */
export function addGuards(scope: Construct, props: GuardProps): string[] {
  const { rules, ruleName, topicArn, region } = props;
  return rules.map((rule) => {
    const eventRule = new CloudwatchEventRule(scope, rule.id, {
      name: ruleName(rule.id),
      description: `Calls of ${rule.service} that change or remove a protection of the payment ledger`,
      eventPattern: Fn.jsonencode(eventPattern(rule)),
    });
    new CloudwatchEventTarget(scope, `${rule.id}-topic`, {
      rule: eventRule.name,
      arn: topicArn,
      inputTransformer: {
        inputPaths: {
          event: "$.detail.eventName",
          who: "$.detail.userIdentity.arn",
          from: "$.detail.sourceIPAddress",
          when: "$.time",
          region: "$.region",
          account: "$.account",
          error: "$.detail.errorCode",
          id: "$.detail.requestID",
        },
        inputTemplate: `"${MESSAGE}"`,
      },
    });
    if (rule.service === "iam" && region !== iamRegionOf(region)) addForwarding(scope, rule, props);
    return eventRule.name;
  });
}

/** IAM is global. Its events exist in one region of each partition only. */
export function iamRegionOf(region: string): string {
  return region.startsWith("us-gov-") ? "us-gov-west-1" : "us-east-1";
}

/** The same rule in the region of IAM's events, which sends them on to this region's bus. */
function addForwarding(scope: Construct, rule: GuardRule, props: GuardProps): void {
  const region = iamRegionOf(props.region);
  const role = new IamRole(scope, "guard-events-role", {
    name: props.forwardRoleName,
    description: "Sends events of IAM on to the region of the payment ledger",
    assumeRolePolicy: policy(scope, "guard-events-trust", [
      assumedBy("events.amazonaws.com", props.accountId, "RulesOfThisAccount"),
    ]),
  });
  new IamRolePolicy(scope, "guard-events-access", {
    name: "guard-events-access",
    role: role.id,
    policy: policy(scope, "guard-events-access-policy", [
      { sid: "ToThisRegion", actions: ["events:PutEvents"], resources: [props.busArn] },
    ]),
  });
  const eventRule = new CloudwatchEventRule(scope, `${rule.id}-forwarded`, {
    region,
    name: props.ruleName(`${rule.id}-forwarded`),
    description: "Events of IAM about roles of the payment ledger, for its own region",
    eventPattern: Fn.jsonencode(eventPattern(rule)),
  });
  new CloudwatchEventTarget(scope, `${rule.id}-forwarding`, {
    region,
    rule: eventRule.name,
    arn: props.busArn,
    roleArn: role.arn,
  });
}
