/**
 * Types that exist in real AWS only, the private API, and the state machine of a sweep in pieces: on a laptop one call sweeps the
 * tables. The emulator drops or ignores what matters about them (policies of endpoints, APIs and buckets, security
 * groups, alarms that watch metrics), so creating them would only look like something. The policies among them are
 * enforced by the gate in front of the emulator. They get an id and an ARN that other resources can name; what they do
 * is tested on the synthesized JSON.
 */
import { createHash } from "node:crypto";
import type { Json, TerraformObject } from "../terraform-expression";
import { arn, type Create, type CreateByType, type DeployContext } from "./context";

/** Type, id prefix, and service and kind of its ARN. */
const KINDS: readonly (readonly [type: string, idPrefix: string, service: string, kind: string])[] = [
  ["aws_vpc", "vpc", "ec2", "vpc"],
  ["aws_subnet", "subnet", "ec2", "subnet"],
  ["aws_route_table", "rtb", "ec2", "route-table"],
  ["aws_route_table_association", "rtbassoc", "ec2", "route-table-association"],
  ["aws_main_route_table_association", "rtbassoc", "ec2", "route-table-association"],
  ["aws_default_route_table", "rtb", "ec2", "route-table"],
  ["aws_route", "r-rtb", "ec2", "route"],
  ["aws_internet_gateway", "igw", "ec2", "internet-gateway"],
  ["aws_nat_gateway", "nat", "ec2", "natgateway"],
  ["aws_eip", "eipalloc", "ec2", "elastic-ip"],
  ["aws_network_acl", "acl", "ec2", "network-acl"],
  ["aws_default_network_acl", "acl", "ec2", "network-acl"],
  ["aws_security_group", "sg", "ec2", "security-group"],
  ["aws_default_security_group", "sg", "ec2", "security-group"],
  ["aws_security_group_rule", "sgrule", "ec2", "security-group-rule"],
  ["aws_vpc_security_group_ingress_rule", "sgr", "ec2", "security-group-rule"],
  ["aws_vpc_security_group_egress_rule", "sgr", "ec2", "security-group-rule"],
  ["aws_vpc_endpoint", "vpce", "ec2", "vpc-endpoint"],
  ["aws_vpc_endpoint_policy", "vpce", "ec2", "vpc-endpoint"],
  ["aws_vpc_endpoint_route_table_association", "a-vpce", "ec2", "vpc-endpoint-association"],
  ["aws_vpc_endpoint_subnet_association", "a-vpce", "ec2", "vpc-endpoint-association"],
  ["aws_vpc_endpoint_security_group_association", "a-vpce", "ec2", "vpc-endpoint-association"],
  ["aws_flow_log", "fl", "ec2", "vpc-flow-log"],
  ["aws_ebs_encryption_by_default", "ebs", "ec2", "ebs-encryption"],
  ["aws_cloudwatch_metric_alarm", "alarm", "cloudwatch", "alarm"],
  ["aws_cloudwatch_composite_alarm", "alarm", "cloudwatch", "alarm"],
  ["aws_cloudwatch_event_rule", "rule", "events", "rule"],
  ["aws_cloudwatch_event_target", "target", "events", "target"],
  ["aws_cloudwatch_dashboard", "dashboard", "cloudwatch", "dashboard"],
  ["aws_sfn_state_machine", "machine", "states", "state-machine"],
  ["aws_cloudwatch_log_metric_filter", "filter", "logs", "metric-filter"],
  ["aws_cloudwatch_log_resource_policy", "policy", "logs", "resource-policy"],
  ["aws_cloudwatch_log_data_protection_policy", "policy", "logs", "data-protection-policy"],
  ["aws_cloudtrail", "trail", "cloudtrail", "trail"],
  ["aws_api_gateway_rest_api", "api", "apigateway", "restapis"],
  ["aws_api_gateway_rest_api_policy", "api", "apigateway", "restapi-policy"],
  ["aws_api_gateway_resource", "resource", "apigateway", "resource"],
  ["aws_api_gateway_method", "method", "apigateway", "method"],
  ["aws_api_gateway_integration", "integration", "apigateway", "integration"],
  ["aws_api_gateway_deployment", "deployment", "apigateway", "deployment"],
  ["aws_api_gateway_stage", "stage", "apigateway", "stage"],
  ["aws_api_gateway_method_settings", "settings", "apigateway", "method-settings"],
  ["aws_kms_key_policy", "policy", "kms", "key-policy"],
  ["aws_dynamodb_contributor_insights", "insights", "dynamodb", "contributor-insights"],
  ["aws_s3_bucket_public_access_block", "bucket", "s3", "public-access-block"],
  ["aws_s3_bucket_ownership_controls", "bucket", "s3", "ownership-controls"],
  ["aws_s3_bucket_policy", "bucket", "s3", "policy"],
  ["aws_s3_bucket_server_side_encryption_configuration", "bucket", "s3", "encryption"],
  ["aws_s3_bucket_lifecycle_configuration", "bucket", "s3", "lifecycle"],
  ["aws_s3_bucket_logging", "bucket", "s3", "logging"],
  ["aws_backup_vault", "vault", "backup", "backup-vault"],
  ["aws_backup_vault_lock_configuration", "vault", "backup", "backup-vault-lock"],
  ["aws_backup_vault_policy", "vault", "backup", "backup-vault-policy"],
  ["aws_backup_plan", "plan", "backup", "backup-plan"],
  ["aws_backup_selection", "selection", "backup", "backup-selection"],
  ["aws_backup_region_settings", "settings", "backup", "region-settings"],
];

/** Attributes that other resources read of these types, beyond id and ARN. */
const FURTHER_ATTRIBUTES: Readonly<Record<string, (id: string, context: DeployContext) => TerraformObject>> = {
  aws_vpc: (id) => ({
    default_security_group_id: sibling("sg", id),
    default_network_acl_id: sibling("acl", id),
    default_route_table_id: sibling("rtb", id),
    main_route_table_id: sibling("rtb", id),
  }),
  aws_vpc_endpoint: (id, context) => ({
    prefix_list_id: sibling("pl", id),
    dns_entry: [{ dns_name: `${id}.vpce.${context.region}.amazonaws.com`, hosted_zone_id: "Z00000000000000000000" }],
    network_interface_ids: [sibling("eni", id)],
  }),
  aws_api_gateway_rest_api: (id, context) => ({
    root_resource_id: sibling("resource", id),
    execution_arn: arn(context, "execute-api", id),
  }),
  aws_eip: (id) => ({ allocation_id: id, public_ip: "192.0.2.1" }),
};

export const PLAN_ONLY: CreateByType = Object.fromEntries(
  KINDS.map(([type, idPrefix, service, kind]): [string, Create] => [
    type,
    async (args, context) => {
      args.withoutEffect(...Object.keys(args.values));
      const id = identifier(idPrefix, `${context.account}/${context.region}/${args.address}`);
      return { id, arn: arn(context, service, `${kind}/${id}`), ...FURTHER_ATTRIBUTES[type]?.(id, context) };
    },
  ]),
);

/** Whether an output is a URL of a resource that is not created: nothing answers there. */
export function isUnansweredUrl(expression: Json | undefined): boolean {
  if (typeof expression !== "string" || !expression.startsWith("https://")) return false;
  return KINDS.some(([type]) => expression.includes(`\${${type}.`));
}

/** The same address always gets the same id, so a run can be compared with another. */
function identifier(prefix: string, seed: string): string {
  return `${prefix}-${createHash("sha256").update(seed).digest("hex").slice(0, 17)}`;
}

function sibling(prefix: string, id: string): string {
  return identifier(prefix, `${prefix}/${id}`);
}
