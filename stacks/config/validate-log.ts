/** The rules on the log of proofs: its keys, its evidence, and the restores that are tried against it. */

import { FUNCTIONS, PIECES_PREFIXES, type PiecedCheck, TABLES } from "../../contract";
import { refuseUnless } from "./errors";
import type { AppConfig } from "./types";
import { ROLE_ARN, TWELVE_MONTHS_DAYS, wholeDays } from "./validate-data";

const SIGNING_MAX = 2;
/** CloudWatch looks back seven days at most. */
const DRILL_ALARM_DAYS = 7;

export function checkLog(config: AppConfig): void {
  checkCheckpointKeys(config);
  checkEvidence(config);
  checkSealerConcurrency(config);
  checkPieceCount(config);
  const { drillEveryDays: days } = config;
  refuseUnless(
    wholeDays(days, 1) && days < DRILL_ALARM_DAYS,
    "bad_drill_days",
    `a restore drill would be made every ${days} days.`,
    `every 1 to ${DRILL_ALARM_DAYS - 1} whole days: an alarm starts when ${DRILL_ALARM_DAYS} days pass without one.`,
    "set `drillEveryDays` in stacks/config/environments.ts.",
  );
}

const CHECK_PIECES_MAX = 256;

/** All pieces are read at the same time, each by its own call of the function. */
function checkPieceCount({ checkPieces, protections: { reservedConcurrency } }: AppConfig): void {
  refuseUnless(
    Number.isInteger(checkPieces) && checkPieces >= 1 && checkPieces <= CHECK_PIECES_MAX,
    "bad_check_pieces",
    `the checks would have ${checkPieces} pieces.`,
    `a whole number from 1, which is one call of the function of each check, to ${CHECK_PIECES_MAX}.`,
    "correct `checkPieces` in stacks/config/environments.ts.",
  );
  for (const check of Object.keys(PIECES_PREFIXES) as PiecedCheck[]) {
    const reserved = reservedConcurrency?.[check] ?? checkPieces;
    refuseUnless(
      reserved >= checkPieces,
      "bad_check_pieces",
      `the checks would have ${checkPieces} pieces, and ${reserved} concurrent invocations would be reserved for ${FUNCTIONS[check].name}.`,
      "the pieces are read at the same time: each needs one.",
      `raise \`reservedConcurrency.${check}\` in stacks/config/environments.ts to the number of pieces.`,
    );
  }
}

/** DynamoDB gives a new on-demand table four partitions, and each has a shard of its stream. */
const SHARDS_OF_A_NEW_TABLE = 4;
/** While a partition splits, its shard and those that follow it are read at the same time. */
const SHARDS_IN_TRANSITION = 2;
export const SEALER_CONCURRENCY_MIN = SHARDS_OF_A_NEW_TABLE * Object.keys(TABLES).length + SHARDS_IN_TRANSITION;

/** Lambda invokes the sealer separately for each shard of a stream. */
function checkSealerConcurrency({ protections: { reservedConcurrency } }: AppConfig): void {
  const reserved = reservedConcurrency?.sealAuditTrail ?? SEALER_CONCURRENCY_MIN;
  refuseUnless(
    reserved >= SEALER_CONCURRENCY_MIN,
    "bad_protections",
    `${reserved} concurrent invocations would be reserved for the sealer.`,
    `the streams of new tables have ${SHARDS_OF_A_NEW_TABLE} shards each, and ${SHARDS_IN_TRANSITION} more while one splits: ${SEALER_CONCURRENCY_MIN} or more. With fewer, shards wait for each other and their records are sealed late.`,
    "raise `reservedConcurrency.sealAuditTrail` in stacks/config/environments.ts, or set `reservedConcurrency` to null.",
  );
}

function checkCheckpointKeys({ checkpointKeySpec, checkpointKeys: { signing, retired } }: AppConfig): void {
  refuseUnless(
    ["ECC_NIST_EDWARDS25519", "ECC_NIST_P256"].includes(checkpointKeySpec),
    "bad_checkpoint_keys",
    `there is no checkpoint key of the kind "${checkpointKeySpec}".`,
    "it is ECC_NIST_EDWARDS25519, or ECC_NIST_P256 where the region's KMS lacks that.",
    "set `checkpointKeySpec` in stacks/config/environments.ts.",
  );
  refuseUnless(
    signing.length >= 1 && signing.length <= SIGNING_MAX,
    "bad_checkpoint_keys",
    `${signing.length} generations of checkpoint keys would sign.`,
    `one signs, or ${SIGNING_MAX} while a new one replaces the old.`,
    "correct `checkpointKeys.signing` in stacks/config/environments.ts.",
  );
  const generations = [...signing, ...retired];
  const counted = generations.map((_, i) => String(i + 1));
  refuseUnless(
    // A gap would be a key that Terraform destroys, and with it the proof of who signed the checkpoints of its time.
    [...generations].sort((a, b) => Number(a) - Number(b)).join() === counted.join(),
    "bad_checkpoint_keys",
    `the generations of checkpoint keys are ${generations.join(", ")}.`,
    `they are counted from 1, none left out and none named twice: here ${counted.join(", ")}. A key that ever signed is retired, never removed.`,
    "correct `checkpointKeys` in stacks/config/environments.ts.",
  );
}

function checkEvidence({ environment, protections: { evidenceLock: lock }, ...config }: AppConfig): void {
  refuseUnless(
    wholeDays(lock.days, 1) && ["GOVERNANCE", "COMPLIANCE"].includes(lock.mode),
    "bad_protections",
    `the evidence would be locked in ${lock.mode} mode for ${lock.days} days.`,
    "a lock is GOVERNANCE or COMPLIANCE and lasts whole days, one at least.",
    "correct `protections.evidenceLock` in stacks/config/environments.ts.",
  );
  refuseUnless(
    environment !== "prod" || (lock.mode === "COMPLIANCE" && lock.days >= TWELVE_MONTHS_DAYS),
    "bad_protections",
    `production would lock its evidence in ${lock.mode} mode for ${lock.days} days.`,
    `production's evidence cannot be removed by anybody for twelve months: COMPLIANCE, ${TWELVE_MONTHS_DAYS} days or more.`,
    "correct `protections.evidenceLock` of prod in stacks/config/environments.ts.",
  );
  for (const arn of [...config.witnessArns, ...config.evidenceReaderArns]) {
    refuseUnless(
      ROLE_ARN.test(arn),
      "bad_evidence_arn",
      `"${arn}" is not the ARN of one role.`,
      "who may read the evidence, and who may witness it, is named role by role, without wildcards.",
      "correct `witnessArns` or `evidenceReaderArns` in stacks/config/environments.ts.",
    );
  }
}
