/** What all stacks share: provider, versions, backend, and the ARNs that are built from names instead of references. */

import { DataAwsCallerIdentity } from "@cdktf/provider-aws/lib/data-aws-caller-identity";
import { DataAwsPartition } from "@cdktf/provider-aws/lib/data-aws-partition";
import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { App } from "cdktf";
import type { Construct } from "constructs";
import {
  FUNCTIONS,
  type FunctionId,
  PIECES_PREFIXES,
  type PiecedCheck,
  type QueueId,
  type RoleId,
  TABLES,
  type TableId,
} from "../contract";
import { addBackend } from "./backend";
import { type BucketId, bucketLabelsOf, bucketNamesOf, type Names, namesOf, SCHEDULED, tagsOf } from "./config/names";
import type { AppConfig } from "./config/types";
import type { NetworkInterfaceArns } from "./platform-permissions";
import { ResolvedOnceStack } from "./resolve-once";

/** The role that starts exports writes no audit record. The sealer and the publisher must not write what they seal. */
const NO_AUDIT_RECORDS: readonly RoleId[] = ["export", "sealer", "publisher"];

/** The S3 backend's native lock file needs this version. The other backends have no use for an older one. */
const TERRAFORM_VERSION = ">= 1.10.0";

export abstract class BaseStack extends ResolvedOnceStack {
  protected readonly names: Names;
  protected readonly accountId: string;
  protected readonly partition: string;

  constructor(
    scope: Construct,
    id: string,
    protected readonly config: AppConfig,
  ) {
    super(scope, id);
    this.names = namesOf(config);
    new AwsProvider(this, "aws", {
      region: config.region,
      defaultTags: [{ tags: tagsOf(config) }],
      ...(config.expectedAccountId === null ? {} : { allowedAccountIds: [config.expectedAccountId] }),
    });
    // CDKTF 0.21 writes this line wrongly into HCL, so that form goes without it.
    if (!App.of(this).hclOutput) {
      this.addOverride("terraform.required_version", TERRAFORM_VERSION);
    }
    addBackend(this, id, config);
    this.accountId = new DataAwsCallerIdentity(this, "current").accountId;
    this.partition = new DataAwsPartition(this, "partition").partition;
  }

  /** ARN of a resource in this account and region, by its name. A lower stack uses it for a resource of a higher stack. */
  protected arn(service: string, resource: string): string {
    return `arn:${this.partition}:${service}:${this.config.region}:${this.accountId}:${resource}`;
  }

  /** IAM has no region. */
  protected iamArn(resource: string): string {
    return `arn:${this.partition}:iam::${this.accountId}:${resource}`;
  }

  protected roleArn(role: RoleId): string {
    return this.iamArn(`role/${this.names.roles[role]}`);
  }

  protected allRoleArns(): string[] {
    return (Object.keys(this.names.roles) as RoleId[]).map((role) => this.roleArn(role));
  }

  /** The roles of the functions that write audit records. They encrypt the details and make the MACs of these records. */
  protected auditingRoles(): RoleId[] {
    return (Object.keys(this.names.roles) as RoleId[]).filter((role) => !NO_AUDIT_RECORDS.includes(role));
  }

  /** The roles that make or check the MAC of a record. Both are the same call of KMS. */
  protected macRoles(): RoleId[] {
    return [...this.auditingRoles(), "sealer"];
  }

  protected tableArn(table: TableId): string {
    return this.arn("dynamodb", `table/${this.names.tables[table]}`);
  }

  protected allTableArns(): string[] {
    return (Object.keys(TABLES) as TableId[]).map((table) => this.tableArn(table));
  }

  protected logStateTableArn(): string {
    return this.arn("dynamodb", `table/${this.names.logStateTable}`);
  }

  /** First line of every checkpoint, and name of the log's verifier keys. */
  protected logOrigin(): string {
    return `payment-ledger/${this.config.region}/${this.accountId}/${this.config.suffix}`;
  }

  protected functionArn(functionId: FunctionId): string {
    return this.arn("lambda", `function:${this.names.functions[functionId]}`);
  }

  protected queueArn(queue: QueueId): string {
    return this.arn("sqs", this.names.queues[queue]);
  }

  protected bucketName(bucket: BucketId): string {
    return bucketNamesOf(this.config, this.accountId)[bucket];
  }

  /** Without the account's number, as the documents tag it. */
  protected bucketLabel(bucket: BucketId): string {
    return bucketLabelsOf(this.config)[bucket];
  }

  /** S3 names neither region nor account. */
  protected bucketArn(bucket: BucketId): string {
    return `arn:${this.partition}:s3:::${this.bucketName(bucket)}`;
  }

  /**
   * Lambda names the interface, its subnet and its security group, each when it is made. The pattern over all kinds is the
   * one of the EC2 guide; IAM's own guide wants the kind named, so these are named beside it.
   */
  protected networkInterfaceArns(): NetworkInterfaceArns {
    const existing = [this.arn("ec2", "*/*"), this.arn("ec2", "network-interface/*")];
    return { existing, made: [...existing, this.arn("ec2", "security-group/*"), this.arn("ec2", "subnet/*")] };
  }

  protected schedulerRoleArn(): string {
    return this.iamArn(`role/${this.names.schedulerRole}`);
  }

  protected scheduleArns(): string[] {
    return Object.values(this.names.schedules).map((name) =>
      this.arn("scheduler", `schedule/${this.names.scheduleGroup}/${name}`),
    );
  }

  /** The checks that state machines make in pieces; none where one call makes each check. */
  protected get piecedChecks(): PiecedCheck[] {
    return this.config.checkPieces > 1 ? (Object.keys(PIECES_PREFIXES) as PiecedCheck[]) : [];
  }

  /** Where the role's check leaves what its pieces have read; `null` where there are no pieces. */
  protected piecesPrefixOf(role: RoleId): string | null {
    const check = this.piecedChecks.find((each) => FUNCTIONS[each].role === role);
    return check === undefined ? null : PIECES_PREFIXES[check];
  }

  protected pieceMachineArn(check: PiecedCheck): string {
    return this.arn("states", `stateMachine:${this.names.pieceMachines[check]}`);
  }

  /** Of the functions that schedules start themselves: a check in pieces is started by its state machine. */
  protected scheduledFunctions(): FunctionId[] {
    const scheduled = new Set<FunctionId>(Object.values(SCHEDULED));
    for (const check of this.piecedChecks) scheduled.delete(check);
    return [...scheduled];
  }

  protected trailArn(): string {
    return this.arn("cloudtrail", `trail/${this.names.trail}`);
  }

  /** Of what CloudTrail writes for this account. */
  protected trailFilesArn(): string {
    return `${this.bucketArn("trail")}/AWSLogs/${this.accountId}/*`;
  }

  protected auditTrailByTimeArn(): string {
    return `${this.tableArn("paymentAuditTrail")}/index/${TABLES.paymentAuditTrail.indexes.byTime.name}`;
  }

  protected indexArns(table: TableId): string[] {
    return Object.values(TABLES[table].indexes).map(({ name }) => `${this.tableArn(table)}/index/${name}`);
  }
}
