/** Requests and answers of the functions around the log of proofs, in the form that `write-schemas.ts` publishes. */

import * as z from "zod";
import { FUNCTIONS } from "../contract";
import type { AttestResponse } from "../evidence/checks/attest-operation";
import type { DrillResponse } from "../evidence/checks/drill-operation";
import { DRILL_CODES } from "../evidence/checks/drill-steps";
import type { SweepResponse } from "../evidence/checks/sweep-operation";
import type { PublishCheckpointResponse } from "../evidence/sealing/publish-checkpoint";
import type { SealResponse } from "../evidence/sealing/seal";
import { FINDING_CODES, VERDICTS } from "../evidence/verifier/report";

const count = z.int().min(0);
const verdict = z.enum(VERDICTS);

const sealRequest = z
  .looseObject({ Records: z.array(z.looseObject({ eventSource: z.literal("aws:dynamodb") })).min(1) })
  .meta({
    title: "Changes of a table",
    description: "What Lambda sends from a table's stream. Anything else is an error.",
  });

const sealAnswer = z
  .strictObject({
    outcome: z.literal("sealed"),
    counts: z.strictObject({
      sealed: count.describe("Entries that were appended."),
      repeated: count.describe("Changes that the log had already."),
      forged: count.describe("Records that no function wrote."),
      tampered: count.describe("Records that were altered or removed."),
      unconfirmed: count.describe("Events that said so while the table showed nothing of it."),
      size: count.describe("Entries of the log afterwards."),
    }),
  })
  .meta({ title: "Answer of seal_audit_trail" }) satisfies z.ZodType<SealResponse>;

const publishRequest = z
  .strictObject({ kind: z.literal("heartbeat") })
  .meta({ title: "Heartbeat", description: "What the schedule sends each minute. Anything else is an error." });

const publishAnswer = z
  .strictObject({
    outcome: z.enum(["published", "catching-up"]).describe("catching-up: time ran out; the next heartbeat goes on."),
    counts: z.strictObject({ size: count.describe("Entries that the newest checkpoint covers.") }),
  })
  .meta({ title: "Answer of publish_checkpoint" }) satisfies z.ZodType<PublishCheckpointResponse>;

const sweepRequest = z
  .strictObject({ kind: z.literal("sweep") })
  .meta({ title: "Sweep of the tables", description: "What the schedule sends. Anything else is an error." });

const sweepAnswer = z
  .strictObject({
    outcome: z
      .enum(["good", "repaired", "faulty", "incomplete"])
      .describe("repaired: everything agrees, now that records which the streams had missed are sealed."),
    verdict: verdict.describe("The gravest of the verdicts."),
    verdicts: z.array(verdict),
    size: count.describe("Entries of the log that the tables were held against."),
    counts: z.strictObject({
      records: count,
      leaves: count,
      late: count.describe("Records with a good MAC that this sweep has sealed."),
      forged: count.describe("Records that no function wrote, and that this sweep has sealed as such."),
      changed: count.describe("Found unsealed, and changed or sealed meanwhile."),
      left: count.describe("Found unsealed, and left to the next sweep for want of time."),
    }),
    findings: z
      .array(
        z.strictObject({
          verdict: z.enum(VERDICTS).exclude(["ok"]),
          code: z.enum(FINDING_CODES),
          message: z.string(),
          table: z.exactOptional(z.string()),
          key: z.exactOptional(z.array(z.string())),
          version: z.exactOptional(z.string()),
          leaf: z.exactOptional(count).describe("Number of the log's entry, from 0."),
          recordedAt: z.exactOptional(z.string()),
        }),
      )
      .describe("The first of them."),
  })
  .meta({ title: "Answer of sweep_audit_trail" }) satisfies z.ZodType<SweepResponse>;

const drillRequest = z
  .strictObject({
    kind: z
      .enum(["step", "start"])
      .describe("step: go on, or begin when it is time. start: begin now, if none is under way."),
  })
  .meta({ title: "Restore drill", description: "What the schedule sends is a step. Anything else is an error." });

const drillAnswer = z
  .strictObject({
    outcome: z
      .enum(["idle", "clearing", "importing", "verifying", "removing"])
      .describe("The drill's phase. idle: none is under way."),
    drill: z.exactOptional(z.string()).describe("The drill under way, by the time at which it began."),
    last: z
      .exactOptional(z.strictObject({ drill: z.string(), verdict, passed: z.boolean(), report: z.string() }))
      .describe("The newest drill that came to a verdict, and the key of its report in the export bucket."),
    codes: z.array(z.enum(DRILL_CODES)).describe("What needs somebody's attention."),
  })
  .meta({ title: "Answer of drill_restore" }) satisfies z.ZodType<DrillResponse>;

const attestRequest = z
  .strictObject({
    kind: z.literal("attest"),
    day: z
      .exactOptional(z.string().regex(/^\d{4}-\d{2}-\d{2}$/))
      .describe(
        "In UTC; CloudTrail's files of it are due two and a half hours after its end. Default: the day before.",
      ),
  })
  .meta({
    title: "Attestation of callers",
    description: "What the schedule sends names no day. Anything else is an error.",
  });

const attestAnswer = z
  .strictObject({
    outcome: z
      .enum(["good", "unattested", "contradicted", "incomplete"])
      .describe("incomplete: a file or an hour of CloudTrail is missing or altered, and nothing is contradicted."),
    day: z.string(),
    counts: z.strictObject({
      attested: count.describe("Records, not calls."),
      unattested: count.describe("CloudTrail has no invocation with their request id."),
      contradicted: count.describe("CloudTrail names another caller, or another function."),
    }),
    problems: z.array(z.string()).describe("The first of what is missing or altered; the file has all."),
    file: z.string().describe("Below log/ in the evidence bucket."),
    sha256: z.string().describe("Of the file, in hexadecimal; the sealed record has it too."),
  })
  .meta({ title: "Answer of attest_callers" }) satisfies z.ZodType<AttestResponse>;

export const LOG_FUNCTIONS = {
  [FUNCTIONS.sealAuditTrail.name]: { request: sealRequest, response: sealAnswer, isScheduled: true },
  [FUNCTIONS.publishCheckpoint.name]: { request: publishRequest, response: publishAnswer, isScheduled: true },
  [FUNCTIONS.sweepAuditTrail.name]: { request: sweepRequest, response: sweepAnswer, isScheduled: true },
  [FUNCTIONS.drillRestore.name]: { request: drillRequest, response: drillAnswer, isScheduled: true },
  [FUNCTIONS.attestCallers.name]: { request: attestRequest, response: attestAnswer, isScheduled: true },
} as const;
