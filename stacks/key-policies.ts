/** Who may use which key for what. This file has the users of each key, `constructs/key.ts` its administrators. */

import { ENCRYPTION_CONTEXT, type RoleId, TABLES, type TableId } from "../contract";
import type { CheckpointKeySpec } from "./config/types";
import { ENCRYPT_AND_DECRYPT, THIS_KEY } from "./constructs/key";
import {
  accountRootsOf,
  arnEquals,
  arnLike,
  type Condition,
  equals,
  isTrue,
  type Statement,
  service,
} from "./constructs/policy";

/** What the policies name. All of it is built from names, because the keys are created before everything else. */
export interface KeyUsers {
  readonly region: string;
  readonly accountId: string;
  readonly accountRootArn: string;
  readonly roleArn: (role: RoleId) => string;
  readonly auditingRoleArns: string[];
  readonly macRoleArns: string[];
  /** The roles that AWS Backup backs up and restores under. */
  readonly backupRoleArns: string[];
  /** Who sends to or receives from a queue, by name. */
  readonly queueUserArns: string[];
  /** Accounts of the named senders, which need not be this one. */
  readonly senderRootArns: string[];
  /** Some queue names no sender: then every principal of this account may send whose own policy allows it. */
  readonly anySenders: boolean;
  readonly scheduleArns: string[];
  /** Buckets under the data key. */
  readonly bucketArns: string[];
  readonly evidenceBucketArn: string;
  /** Roles of this account or another. */
  readonly witnessArns: readonly string[];
  readonly evidenceReaderArns: readonly string[];
  readonly checkpointKeySpec: CheckpointKeySpec;
  readonly logGroupArns: string[];
  /** Of the state machines of checks in pieces. */
  readonly pieceMachineArns: readonly string[];
  /** A pattern: what CloudWatch Logs delivers in this account. */
  readonly logDeliveryArns: string;
  readonly trailArn: string;
  /** A pattern: CloudTrail writes the events of each region in that region's name. */
  readonly anyTrailArn: string;
}

/** The only way in which each kind of key may sign. */
const SIGNING_ALGORITHMS: Record<CheckpointKeySpec, string> = {
  ECC_NIST_EDWARDS25519: "ED25519_SHA_512",
  ECC_NIST_P256: "ECDSA_SHA_256",
};

export class KeyPolicies {
  constructor(private readonly users: KeyUsers) {}

  /** AWS services use the key for this account. A direct call can decrypt nothing but schedules, and what state machines of checks keep. */
  data(): Statement[] {
    return [
      this.use("TablesThroughDynamoDB", ["kms:CreateGrant", ...ENCRYPT_AND_DECRYPT], this.via("dynamodb"), this.ours()),
      this.use(
        "EnvironmentsThroughLambda",
        ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"],
        this.via("lambda"),
        this.ours(),
      ),
      ...this.queues(),
      this.use(
        "FilesThroughS3",
        ["kms:Decrypt", "kms:GenerateDataKey"],
        this.via("s3"),
        this.ours(),
        // A bucket key is bound to the bucket, an object's own key to the object.
        arnLike("kms:EncryptionContext:aws:s3:arn", ...this.users.bucketArns.flatMap((arn) => [arn, `${arn}/*`])),
      ),
      // Scheduler decrypts as the schedule's role and does not name itself, so the condition names what it decrypts.
      this.use(
        "SchedulesOfThisProject",
        ["kms:Decrypt", "kms:GenerateDataKey"],
        this.ours(),
        arnEquals("kms:EncryptionContext:aws:scheduler:schedule:arn", ...this.users.scheduleArns),
      ),
      ...this.pieceMachines(),
      this.grantsOfBackupRoles(),
      // DynamoDB also describes the key of a table without a caller. That reads properties of the key and nothing encrypted.
      {
        sid: "DynamoDbDescribes",
        principals: service("dynamodb.amazonaws.com"),
        actions: [
          "kms:DescribeKey",
          "kms:GetKeyPolicy",
          "kms:GetKeyRotationStatus",
          "kms:ListGrants",
          "kms:ListKeyPolicies",
          "kms:ListResourceTags",
        ],
        resources: THIS_KEY,
      },
    ];
  }

  /** Step Functions encrypts a machine and its executions as the machine's role, and its log lines on their way. */
  private pieceMachines(): Statement[] {
    const { pieceMachineArns, logDeliveryArns, accountId } = this.users;
    if (pieceMachineArns.length === 0) return [];
    return [
      this.use(
        "PieceMachines",
        ["kms:Decrypt", "kms:GenerateDataKey"],
        this.ours(),
        // The executions of a distributed map may have the map's label behind the machine's name.
        arnLike(
          "kms:EncryptionContext:aws:states:stateMachineArn",
          ...pieceMachineArns.flatMap((arn) => [arn, `${arn}/*`]),
        ),
      ),
      this.use(
        "PieceMachineLogs",
        ["kms:GenerateDataKey"],
        this.ours(),
        arnLike("kms:EncryptionContext:SourceArn", logDeliveryArns),
      ),
      {
        sid: "DeliverPieceMachineLogs",
        principals: service("delivery.logs.amazonaws.com"),
        actions: ["kms:Decrypt"],
        resources: THIS_KEY,
        conditions: [
          equals("aws:SourceAccount", accountId),
          arnLike("kms:EncryptionContext:SourceArn", logDeliveryArns),
        ],
      },
    ];
  }

  /** A separate key, so that disabling the data key does not also suppress the report about that. */
  alarms(): Statement[] {
    return [
      {
        sid: "AlarmsToTopic",
        principals: service("cloudwatch.amazonaws.com"),
        actions: ["kms:Decrypt", "kms:GenerateDataKey"],
        resources: THIS_KEY,
        conditions: [equals("aws:SourceAccount", this.users.accountId)],
      },
      // EventBridge supports no condition here. The topic's policy restricts it to the topic, and the key encrypts nothing else.
      {
        sid: "EventsToTopic",
        principals: service("events.amazonaws.com"),
        actions: ["kms:Decrypt", "kms:GenerateDataKey"],
        resources: THIS_KEY,
      },
    ];
  }

  /** In addition to calls through a service: AWS Backup creates grants directly, as its role. */
  private grantsOfBackupRoles(): Statement {
    return this.use(
      "GrantsOfBackupRoles",
      ["kms:CreateGrant"],
      arnEquals("aws:PrincipalArn", ...this.users.backupRoleArns),
      isTrue("kms:GrantIsForAWSResource"),
    );
  }

  /** Senders and receivers both need the key. The policies of the queues say who may send and who may receive. */
  private queues(): Statement[] {
    const { queueUserArns, senderRootArns, anySenders } = this.users;
    const named = this.use(
      "QueuesThroughSqs",
      ["kms:Decrypt", "kms:GenerateDataKey"],
      this.via("sqs"),
      arnEquals("aws:PrincipalArn", ...queueUserArns),
    );
    const principals = [{ type: "AWS" as const, identifiers: [this.users.accountRootArn, ...senderRootArns] }];
    const anyone = this.use("SendersThroughSqs", ["kms:Decrypt", "kms:GenerateDataKey"], this.via("sqs"), this.ours());
    return [{ ...named, principals }, ...(anySenders ? [anyone] : [])];
  }

  logs(): Statement[] {
    return [
      {
        sid: "LogGroupsOfThisProject",
        principals: service(`logs.${this.users.region}.amazonaws.com`),
        actions: ENCRYPT_AND_DECRYPT,
        resources: THIS_KEY,
        conditions: [arnEquals("kms:EncryptionContext:aws:logs:arn", ...this.users.logGroupArns)],
      },
    ];
  }

  /** The functions that write tokens cannot read them back. */
  token(): Statement[] {
    return [
      this.use("WrapTokens", ["kms:Encrypt"], this.byRoles("ledger"), ...forFieldsOf("paymentLedger")),
      this.use("RevealTokens", ["kms:Decrypt"], this.byRoles("reveal"), ...forFieldsOf("paymentLedger")),
    ];
  }

  /** `paymentledger-role` has `kms:Decrypt` in its own policy, as its document asks, and is not among those who may use it. */
  audit(): Statement[] {
    const table = forFieldsOf("paymentAuditTrail");
    return [
      this.use("WrapAuditDetails", ["kms:Encrypt"], this.byAuditingRoles(), ...table),
      this.use("ReadAuditDetails", ["kms:Decrypt"], this.byRoles("auditor"), ...table),
    ];
  }

  /** MAC calls have no encryption context, so the condition names the algorithm. */
  mac(): Statement[] {
    return [
      this.use(
        "RecordMacs",
        ["kms:GenerateMac"],
        arnEquals("aws:PrincipalArn", ...this.users.macRoleArns),
        equals("kms:MacAlgorithm", "HMAC_SHA_256"),
      ),
    ];
  }

  /** CloudTrail writes under this key as this trail only, and its files are read through S3. */
  trail(): Statement[] {
    const { trailArn, anyTrailArn } = this.users;
    const cloudTrail = { principals: service("cloudtrail.amazonaws.com"), resources: THIS_KEY };
    const thisTrail = equals("aws:SourceArn", trailArn);
    const itsFiles: Condition = {
      test: "StringLike",
      variable: "kms:EncryptionContext:aws:cloudtrail:arn",
      values: [anyTrailArn],
    };
    return [
      { ...cloudTrail, sid: "CloudTrailDescribes", actions: ["kms:DescribeKey"], conditions: [thisTrail] },
      { ...cloudTrail, sid: "CloudTrailWrites", actions: ["kms:GenerateDataKey"], conditions: [thisTrail, itsFiles] },
      this.use("ReadersThroughS3", ["kms:Decrypt"], this.via("s3"), this.ours(), itsFiles),
    ];
  }

  backup(): Statement[] {
    return [
      this.use(
        "BackupsThroughServices",
        [...ENCRYPT_AND_DECRYPT, "kms:RetireGrant"],
        this.via("backup", "dynamodb"),
        this.ours(),
      ),
      this.use(
        "GrantsOfBackup",
        ["kms:CreateGrant"],
        this.via("backup", "dynamodb"),
        this.ours(),
        isTrue("kms:GrantIsForAWSResource"),
      ),
      this.grantsOfBackupRoles(),
    ];
  }

  /** Used through S3 for the evidence bucket alone; what may be put and read there is in the bucket's own policy. */
  evidence(): Statement[] {
    const { evidenceBucketArn, witnessArns, evidenceReaderArns } = this.users;
    const through = [
      this.via("s3"),
      arnLike("kms:EncryptionContext:aws:s3:arn", evidenceBucketArn, `${evidenceBucketArn}/*`),
    ];
    const named = (sid: string, actions: string[], arns: readonly string[]): Statement[] => {
      if (arns.length === 0) return [];
      const use = this.use(sid, actions, ...through, arnEquals("aws:PrincipalArn", ...arns));
      return [{ ...use, principals: [{ type: "AWS", identifiers: accountRootsOf(arns) }] }];
    };
    return [
      this.use(
        "WritersThroughS3",
        ["kms:Decrypt", "kms:GenerateDataKey"],
        ...through,
        this.byRoles("publisher", "sweeper", "attester"),
      ),
      this.use("ReadersThroughS3", ["kms:Decrypt"], ...through, this.ours()),
      // The deployment puts the auditor's kit. The bucket's policy says who may put what where.
      this.use("DeployersThroughS3", ["kms:GenerateDataKey"], ...through, this.ours()),
      ...named("WitnessesThroughS3", ["kms:Decrypt", "kms:GenerateDataKey"], witnessArns),
      ...named("NamedReadersThroughS3", ["kms:Decrypt"], evidenceReaderArns),
    ];
  }

  /** @param signs false for a retired generation: its signatures stay valid, but it signs nothing more. */
  checkpoint(signs: boolean): Statement[] {
    const sign = this.use(
      "SignCheckpoints",
      ["kms:Sign"],
      this.byRoles("publisher"),
      equals("kms:SigningAlgorithm", SIGNING_ALGORITHMS[this.users.checkpointKeySpec]),
      equals("kms:MessageType", "RAW"),
    );
    return [...(signs ? [sign] : []), this.use("PublicKey", ["kms:GetPublicKey"], this.ours())];
  }

  /**
   * Lets principals of this account use the key, when their own IAM policies allow it too. Roles are named by
   * `aws:PrincipalArn` and not as principals, because KMS resolves a principal to the role's inner id: a role made anew
   * would be locked out, and the key could not be made before the role.
   */
  private use(sid: string, actions: string[], ...conditions: Condition[]): Statement {
    return {
      sid,
      principals: [{ type: "AWS", identifiers: [this.users.accountRootArn] }],
      actions,
      resources: THIS_KEY,
      conditions,
    };
  }

  private via(...services: string[]): Condition {
    return equals("kms:ViaService", ...services.map((name) => `${name}.${this.users.region}.amazonaws.com`));
  }

  private ours(): Condition {
    return equals("kms:CallerAccount", this.users.accountId);
  }

  private byRoles(...roles: RoleId[]): Condition {
    return arnEquals("aws:PrincipalArn", ...roles.map((role) => this.users.roleArn(role)));
  }

  private byAuditingRoles(): Condition {
    return arnEquals("aws:PrincipalArn", ...this.users.auditingRoleArns);
  }
}

/** What the code puts into every call: a data key wrapped for one table cannot be unwrapped for another. */
function forFieldsOf(table: TableId): Condition[] {
  return [
    equals("kms:EncryptionContext:application", ENCRYPTION_CONTEXT.application),
    equals(`kms:EncryptionContext:${ENCRYPTION_CONTEXT.tableName}`, TABLES[table].logicalName),
  ];
}
