/** The whole job, stage by stage: prepare, feed, feed again, use, audit, verify, export, inspect, tamper. */

import path from "node:path";
import { deploy } from "../deploy";
import type { EmbeddedAws } from "../embedded-aws";
import { readSynthesized } from "../synthesized";
import { readArrivalSamples } from "./arrivals";
import { LedgerCalls } from "./calls";
import { readExpected, readInput } from "./input";
import { Invariants } from "./invariants";
import { jobEnvironmentOf } from "./job-environment";
import { OfflineAudits } from "./offline-audits";
import type { JobOptions } from "./options";
import { checkPermissions } from "./permissions";
import { Progress } from "./progress";
import { proveTampering, verifyAll } from "./proof";
import { Reader } from "./reader";
import type { JobReport } from "./report";
import type { Session } from "./session";
import { exportAll, firstAudit, inspect, pairsOf, readAuditTrail, sendAgain, sendAll, useLedger } from "./stages";
import { synthesizeForJob } from "./synthesize";
import { writeUnits } from "./tables";

export async function runJob(options: JobOptions, starting: Promise<EmbeddedAws>): Promise<JobReport> {
  const session = await prepare(options, starting);
  const { environment, deployment, reader, invariants, startedAt } = session;
  try {
    const fed = await sendAll(session);
    const visited = await firstAudit(session);
    const retried = await sendAgain(session, fed.snapshot);
    const used = await useLedger(session, fed);
    const audited = await readAuditTrail(session, used.samplePayment, used.eventFaults);
    // Before the export, which may have to wait for a full minute.
    const verified = await verifyAll(session, visited, used.samplePayment);
    const exported = await exportAll(session, fed);
    await inspect(session);
    const proven = await proveTampering(session, verified);
    const permissions = checkPermissions(session, proven.tampering);
    return {
      counted: fed.counted,
      retried,
      arrivals: fed.arrivals,
      reads: used.reads,
      readsMade: reader.made,
      samplePayment: fed.samplePayment,
      samplePaymentTrail: audited.samplePaymentTrail,
      exported,
      proven,
      permissions,
      writeUnits: await writeUnits(pairsOf(fed.snapshot), environment.dynamo, deployment),
      invariants,
      stacks: readSynthesized(options.out).map(({ id }) => id),
      out: options.out,
      seconds: (Date.now() - startedAt.getTime()) / 1000,
    };
  } finally {
    environment.destroy();
  }
}

async function prepare(options: JobOptions, starting: Promise<EmbeddedAws>): Promise<Session> {
  const startedAt = new Date();
  const progress = new Progress(options.progress);
  const lines = readInput(options.input);
  const expected = readExpected(options.expected);
  const samples = readArrivalSamples();
  progress.begin("Synthesize the stacks");
  // A machine without Python fails at once, and not after the synth.
  const abandoned = new AbortController();
  starting.catch(() => abandoned.abort());
  await Promise.all([starting, synthesizeForJob(options.out, abandoned.signal)]);
  progress.end(
    readSynthesized(options.out)
      .map(({ id }) => id)
      .join(", "),
  );
  progress.begin("Deploy them to an embedded AWS on this machine");
  const aws = await starting;
  const deployment = await deploy({ aws, outputDirectory: options.out });
  const count = deployment.resources.filter(({ block }) => block.mode === "resource").length;
  progress.end(`${count} resources at ${aws.endpoint}`);
  const calls = new LedgerCalls(deployment);
  const environment = jobEnvironmentOf(deployment);
  const reader = new Reader(calls);
  const audits = new OfflineAudits(environment, calls, path.join(options.out, "audit"));
  const invariants = new Invariants();
  return {
    environment,
    deployment,
    calls,
    reader,
    audits,
    lines,
    expected,
    samples,
    invariants,
    progress,
    startedAt,
  };
}
