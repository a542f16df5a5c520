/** What a configuration may do, and its owner should know. A synth prints it and goes on. */

import type { AppConfig } from "./types";

export function warningsAbout({ environment, availabilityZones: zones }: AppConfig): string[] {
  if (environment !== "prod" || zones.length > 1) return [];
  return [
    `Warning: production is in one availability zone (${zones.join()}).\n` +
      "  What it means: when the zone fails, payments are not recorded until it is back. Nothing that is recorded is lost: tables, keys\n" +
      "    and buckets are in several zones by themselves.\n" +
      "  To change it:  unset PAYMENT_LEDGER_PROFILE, or name more zones in PAYMENT_LEDGER_ZONES, and apply. docs/cost.md has the prices.",
  ];
}
