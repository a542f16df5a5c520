/**
 * What comes in on its own while services call the ledger: files, messages and events. The functions start by themselves,
 * so all of it is sent first and looked at when everything is through.
 */

import type { LedgerCalls } from "./calls";
import { callDirectly, type DirectCalls } from "./direct";
import type { JobEnvironment } from "./job-environment";
import { awaitReports, dropFiles, type ProcessedFile } from "./partner-files";
import { sendFirstMessages, sendLaterMessages, untilSettled } from "./queues";
import { type FileSamples, type MessageSamples, readFileSamples, readMessageSamples } from "./samples";
import { type ServiceEvents, sendEvents } from "./service-events";

export interface ArrivalSamples {
  readonly files: FileSamples;
  readonly messages: MessageSamples;
}

export interface Arrivals {
  readonly samples: ArrivalSamples;
  readonly files: readonly ProcessedFile[];
  readonly direct: DirectCalls;
  readonly events: ServiceEvents;
}

export function readArrivalSamples(): ArrivalSamples {
  return { files: readFileSamples(), messages: readMessageSamples() };
}

/** Sends what comes first, and returns how to send the rest and wait for the end. */
export async function startArrivals(environment: JobEnvironment, calls: LedgerCalls, samples: ArrivalSamples) {
  const day = (wanted: 1 | 2) => samples.files.files.filter((file) => file.day === wanted);
  const first = await dropFiles(environment, day(1), calls);
  await sendFirstMessages(environment, samples.messages);
  const events = await sendEvents(environment);
  return async (): Promise<Arrivals> => {
    const files = await awaitReports(environment, first);
    const second = await dropFiles(environment, day(2), calls);
    await sendLaterMessages(environment, samples.messages);
    const direct = await callDirectly(calls);
    files.push(...(await awaitReports(environment, second)));
    await untilSettled(environment, "paymentMessages");
    await untilSettled(environment, "auditEvents");
    return { samples, files, direct, events };
  };
}
