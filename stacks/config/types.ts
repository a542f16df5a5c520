/** The configuration of one deployment. Data only: nothing here knows Terraform or AWS SDKs. */

import type { FunctionId, QueueId } from "../../contract";

/**
 * How the functions reach AWS. `privatelink`: interface endpoints, no way to the internet. `nat`: a NAT gateway, and gateway
 * endpoints for DynamoDB and S3. `nat-privatelink`: a NAT gateway, and PrivateLink to DynamoDB.
 */
export const CONNECTIVITIES = ["privatelink", "nat", "nat-privatelink"] as const;
export type Connectivity = (typeof CONNECTIVITIES)[number];

/** Where Terraform keeps its state. Credentials never belong here. */
export type BackendConfig =
  | { readonly kind: "local" }
  | {
      readonly kind: "s3";
      readonly bucket: string;
      /** The bucket's own region, which may differ from the deployment's. */
      readonly region: string;
      /** ARN of the KMS key that encrypts the state; `null` leaves it to the bucket's default encryption. */
      readonly kmsKeyArn: string | null;
    }
  | {
      readonly kind: "cloud";
      /** HCP Terraform organization; one named workspace a stack. */
      readonly organization: string;
      readonly hostname: string;
    };

/** Protection from losing data by mistake. Strict in `prod`; off where an environment must be destroyable. */
export interface Protections {
  /** Tables refuse deletion until this is switched off. */
  readonly deletionProtection: boolean;
  /** Days between the order to delete a KMS key and its destruction, 7 to 30. */
  readonly kmsDeletionWindowDays: number;
  /** Concurrency reserved for each function; `null` reserves none (a small account has only 10 to share). */
  readonly reservedConcurrency: Readonly<Record<FunctionId, number>> | null;
  /** Destroying a bucket or the backup vault empties it first. Without it AWS refuses to destroy one that holds anything. */
  readonly emptyOnDestroy: boolean;
  /** How long nobody can remove or overwrite what CloudTrail wrote. */
  readonly trailLock: ObjectLock;
  /** How long nobody can remove or overwrite the published log of proofs. */
  readonly evidenceLock: ObjectLock;
  /** Bounds that no backup's retention can leave; `null` leaves the vault unlocked. */
  readonly vaultLock: VaultLock | null;
}

/** S3 Object Lock. A user with the permission can remove a `GOVERNANCE` lock; nobody can remove a `COMPLIANCE` lock. */
export interface ObjectLock {
  readonly mode: "GOVERNANCE" | "COMPLIANCE";
  readonly days: number;
}

export interface VaultLock {
  readonly minRetentionDays: number;
  readonly maxRetentionDays: number;
  /** Days after which nobody can remove the lock any more; 3 or more. */
  readonly changeableForDays: number;
}

/** How long the buckets keep what is in them. */
export interface Retention {
  /** CloudTrail's files. PCI DSS 10.5.1 asks for twelve months. */
  readonly trailDays: number;
  /** Table exports and the reports of their checks. */
  readonly exportDays: number;
  /** Reports on payment files. */
  readonly reportDays: number;
  /** What a payment file too long for one run left to the next; longer than the failure queue keeps a failed run. */
  readonly continuationDays: number;
  /** Versions that were replaced or deleted. */
  readonly oldVersionDays: number;
  /** Old versions of payment files in Glacier, instead of their removal after `oldVersionDays`; `null` removes them. */
  readonly oldFileVersionArchive: VersionArchive | null;
}

/** Days are counted from when a version was replaced or deleted. */
export interface VersionArchive {
  /** Days until it is moved to Glacier. */
  readonly afterDays: number;
  /** Days until it is removed. */
  readonly keptDays: number;
}

export interface BackupRule {
  /** `cron(...)` in UTC. */
  readonly schedule: string;
  readonly retentionDays: number;
}

/** The jobs that EventBridge Scheduler starts, each a `cron(...)` in UTC. The log's heartbeat is not configurable, because its alarms depend on its rate. */
export interface Schedules {
  readonly incrementalExport: string;
  readonly fullExport: string;
  readonly backupCheck: string;
  /** Compares the tables with the log, once a day. */
  readonly logSweep: string;
  /** One step of a restore drill, where one is due or under way. */
  readonly restoreDrill: string;
  /** Attests the callers of the day before, once a day and not before 02:30: CloudTrail's files must be there. */
  readonly identityCheck: string;
}

/**
 * Generations of the keys that sign checkpoints, counted "1", "2", ... A new generation signs beside the old one until every
 * verifier has pinned it; then the old one is retired: its key stays, and nobody can sign with it any more.
 */
export interface CheckpointKeys {
  /** One; two while one replaces the other. */
  readonly signing: readonly string[];
  readonly retired: readonly string[];
}

/** Ed25519, or P-256 in a region whose KMS has no Ed25519. */
export type CheckpointKeySpec = "ECC_NIST_EDWARDS25519" | "ECC_NIST_P256";

/** An API in front of the functions that record and read, which is reached through one VPC endpoint only. */
export interface PrivateApiConfig {
  readonly state: "off" | "on";
  /** IPv4 blocks of callers beside the VPC's own: peered networks, or those of a company. */
  readonly callerCidrs: readonly string[];
  /** Of all callers together; API Gateway answers 429 to what is above. */
  readonly requestsPerSecond: number;
  readonly burst: number;
}

/**
 * Whether a claimed actor is accepted. `claimed`: always. `caller`: where it is the name of the caller's session, or listed for
 * the caller; a call that does not say who called is refused.
 */
export const ACTOR_RULES = ["claimed", "caller"] as const;
export type ActorRuleName = (typeof ACTOR_RULES)[number];

export interface AppConfig {
  /** Key of `ENVIRONMENTS`; names the state and the `Environment` tag. */
  readonly environment: string;
  readonly region: string;
  /** Part of the name of every resource, unique in an account. `prod` alone leaves the names of the ledger bare. */
  readonly suffix: string;
  /** The only account that Terraform may touch; `null` accepts whichever the credentials belong to. */
  readonly expectedAccountId: string | null;
  readonly vpcCidr: string;
  /** One private subnet for each zone, in the order of `availabilityZones`. */
  readonly privateSubnetCidrs: readonly string[];
  /** One to three letters after the region's name. Written down, because a zone list asked from AWS can change between two plans. */
  readonly availabilityZones: readonly string[];
  readonly connectivity: Connectivity;
  /** The subnet of the NAT gateway, in the first zone. Not used with connectivity `privatelink`. */
  readonly publicSubnetCidr: string;
  readonly privateApi: PrivateApiConfig;
  readonly actors: ActorRuleName;
  /**
   * With `caller`: the actors that a principal may name instead of its session's name, by the id that AWS gave its role or user
   * (`AROA...`, `AIDA...`). `*` is every actor: for a service that speaks for its own users.
   */
  readonly actorsOfCallers: Readonly<Record<string, readonly string[]>>;
  /** Retention of every log group. PCI DSS 10.5.1 asks for twelve months. */
  readonly logRetentionDays: number;
  /** How far back point-in-time recovery of the tables reaches, 1 to 35 days. */
  readonly pitrRecoveryDays: number;
  readonly retention: Retention;
  /** AWS Backup of all tables. */
  readonly backups: { readonly daily: BackupRule; readonly weekly: BackupRule };
  readonly schedules: Schedules;
  readonly backend: BackendConfig;
  readonly protections: Protections;
  /** Shards of each `value#day` index key, 1 to 100. May grow, never shrink: readers look only into the shards they know. */
  readonly indexShardCount: number;
  /** `cached`: a data key serves many records within bounds. `per-record`: one KMS call for each record. */
  readonly fieldEncryption: "cached" | "per-record";
  /** ARNs of the roles that may read the failure queue and the dead-letter queues. With none, nobody can: messages may hold a token. */
  readonly failureQueueReaderArns: readonly string[];
  /** ARNs of the only roles that may send audit events. With none, every principal of this account may whose own policy allows it. */
  readonly eventSenderArns: readonly string[];
  /** ARNs of the only roles that may send payment messages; with none, as above. */
  readonly paymentSenderArns: readonly string[];
  /** Kind of the keys that sign checkpoints. Another one replaces the keys of all generations, so it is chosen before the first apply. */
  readonly checkpointKeySpec: CheckpointKeySpec;
  readonly checkpointKeys: CheckpointKeys;
  /** ARNs of the roles, of this account or another, that may read the evidence and put cosignatures beside it. */
  readonly witnessArns: readonly string[];
  /** ARNs of further roles that may read the evidence. Principals of this account need none: their own policies decide. */
  readonly evidenceReaderArns: readonly string[];
  /** Days from one restore drill to the next, 1 to 6: the alarm on missing ones looks back seven. */
  readonly drillEveryDays: number;
  /**
   * In how many pieces the sweep, the backup check and the restore drill read the tables, 1 to 256. With 1 each check is one call of its function, which
   * ends after 15 minutes; with more a state machine calls the function once for each piece.
   */
  readonly checkPieces: number;
  /** How many calls of its function each queue may keep busy at once, 2 to 1000. */
  readonly queueConcurrency: Readonly<Record<QueueId, number>>;
  /** A payment file that held card data is removed after its report. */
  readonly removeCardDataFiles: boolean;
  /** Tags of every resource, beside those that `tagsOf` in `names.ts` adds. */
  readonly extraTags: Readonly<Record<string, string>>;
}
