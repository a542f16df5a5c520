/** The one error of a wrong configuration. `main.ts` prints its message alone, so the message must say everything. */

import { CodedError } from "../../contract";

export type ConfigErrorCode =
  | "unknown_environment"
  | "unknown_profile"
  | "unknown_setting"
  | "bad_region"
  | "bad_suffix"
  | "suffix_taken"
  | "region_needs_suffix"
  | "name_too_long"
  | "bad_account"
  | "bad_cidr"
  | "bad_subnets"
  | "bad_availability_zones"
  | "bad_connectivity"
  | "bad_private_api"
  | "bad_actors"
  | "bad_log_retention"
  | "bad_pitr_days"
  | "bad_protections"
  | "bad_retention"
  | "bad_backups"
  | "bad_schedule"
  | "bad_queue_concurrency"
  | "bad_backend"
  | "bad_shard_count"
  | "bad_field_encryption"
  | "bad_reader_arn"
  | "bad_sender_arn"
  | "bad_checkpoint_keys"
  | "bad_check_pieces"
  | "bad_evidence_arn"
  | "bad_drill_days"
  | "bad_tags";

export class ConfigError extends CodedError<ConfigErrorCode> {
  override readonly name = "ConfigError";

  /** @param remedy what to change, and where: the reader of the message may have never opened `stacks/config/`. */
  constructor(code: ConfigErrorCode, fact: string, rule: string, remedy: string) {
    super(code, `Configuration error (${code}): ${fact}\n  Rule:   ${rule}\n  Remedy: ${remedy}`);
  }
}

export function refuseUnless(holds: boolean, code: ConfigErrorCode, fact: string, rule: string, remedy: string): void {
  if (!holds) {
    throw new ConfigError(code, fact, rule, remedy);
  }
}
