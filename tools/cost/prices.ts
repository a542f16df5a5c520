/**
 * US dollars, us-east-1, on demand, no free tier taken off. No live price page could be read when they were collected, so each names
 * the copy that it comes from and that copy's date.
 */

export const PRICES = {
  endpointZoneHour: 0.01,
  natGatewayHour: 0.045,
  publicAddressHour: 0.005,
  kmsKey: 1,
  kmsRequest: 0.03 / 10_000,
  kmsSignature: 0.15 / 10_000,
  alarmMetric: 0.1,
  compositeAlarm: 0.5,
  customMetric: 0.3,
  dashboard: 3,
  logGigabyte: 0.5,
  scheduledRun: 1 / 1_000_000,
  apiRequest: 3.5 / 1_000_000,
  lambdaRequest: 0.2 / 1_000_000,
  lambdaGigabyteSecond: 0.0000133334,
  writeUnit: 0.625 / 1_000_000,
  readUnit: 0.125 / 1_000_000,
  tableGigabyte: 0.25,
  recoveryGigabyte: 0.2,
  backupGigabyte: 0.1,
  exportGigabyte: 0.1,
  s3Put: 0.005 / 1_000,
  s3Get: 0.0004 / 1_000,
  s3Gigabyte: 0.023,
  sqsRequest: 0.4 / 1_000_000,
  sqsFifoRequest: 0.5 / 1_000_000,
  dataEvent: 0.1 / 100_000,
  stateTransition: 0.025 / 1_000,
} as const;

export type PriceName = keyof typeof PRICES;

/** Of each price, the copy that it was read in, with its date. */
const SOURCES: Readonly<Record<string, readonly PriceName[]>> = {
  "awsnegotiations, May 2026; infracost's price fixtures, undated": ["endpointZoneHour"],
  "cloudburn.io, 2026-02-24": ["natGatewayHour", "publicAddressHour"],
  "copy of aws.amazon.com/kms/pricing, undated; cloudburn.io, 2026-03-14": ["kmsKey", "kmsRequest", "kmsSignature"],
  "lists of CloudWatch prices, 2025 and 2026": ["alarmMetric", "compositeAlarm", "customMetric", "dashboard"],
  "c3x.dev, June 2026": ["logGigabyte"],
  "cloudburn.io, 2026-03-13": ["scheduledRun"],
  "infracost's price fixtures, undated": [
    ...(["lambdaRequest", "lambdaGigabyteSecond", "tableGigabyte", "recoveryGigabyte", "backupGigabyte"] as const),
    ...(["s3Put", "s3Get", "s3Gigabyte"] as const),
  ],
  "airbyte.com, 2025-07-21": ["writeUnit", "readUnit"],
  "from memory; no copy was found": ["exportGigabyte"],
  "copy of AWS's white paper on private APIs, undated; go-cloud.io, 2026": ["apiRequest"],
  "cloudburn.io, 2026-03-14; factualminds, 2026-06-13": ["sqsRequest", "sqsFifoRequest"],
  "copy of aws.amazon.com/cloudtrail/pricing, undated": ["dataEvent"],
  "copy of aws.amazon.com/step-functions/pricing, undated; wring.co, 2026-03-14": ["stateTransition"],
};

/** @throws Error for a price without a source, which nobody could check. */
export function sourceOf(name: PriceName): string {
  const found = Object.entries(SOURCES).find(([, names]) => names.includes(name));
  if (found === undefined)
    throw new Error(`The price ${name} has no source. Add it to SOURCES in tools/cost/prices.ts.`);
  return found[0];
}
