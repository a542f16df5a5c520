/**
 * Logs and metrics: one structured line an event, from an allow-list of fields; never an event, a body or an SDK answer. They
 * are written here and not by a package: for this much, each is a tenth of a cold start's code.
 */

import { METRICS } from "../../contract";
import type { Signal } from "../../ledger/store/services";

/** Everything that a log line may say beside level, message, time, service and request. No field here can hold input. */
const LOGGABLE_FIELDS = [
  "operation",
  "table",
  "outcome",
  "statusCode",
  "code",
  "errorName",
  "stored",
  "duplicate",
  "conflict",
  "refused",
  "failed",
  "returned",
  "sealed",
  "repeated",
  "forged",
  "tampered",
  "size",
  "durationMs",
] as const;
export type LogFields = Partial<Record<(typeof LOGGABLE_FIELDS)[number], string | number>>;

export interface Observer {
  info(message: string, requestId: string, fields: LogFields): void;
  error(message: string, requestId: string, fields: LogFields): void;
  readonly signal: (signal: Signal) => void;
  /** Writes the collected metrics; called at the end of each invocation. */
  flush(): void;
}

export function makeObserver(functionName: string): Observer {
  const metrics = new CollectedMetrics(functionName);
  const line = (level: "INFO" | "ERROR", message: string, requestId: string, fields: LogFields) => {
    const said: Record<string, string | number> = { level, message, timestamp: new Date().toISOString() };
    said["service"] = functionName;
    if (requestId !== "") said["requestId"] = requestId;
    for (const name of LOGGABLE_FIELDS) {
      const value = fields[name];
      if (value !== undefined && value !== "") said[name] = value;
    }
    return `${JSON.stringify(said)}\n`;
  };
  return {
    // To the streams themselves: Lambda puts its own text before what goes through the console.
    info: (message, requestId, fields) => process.stdout.write(line("INFO", message, requestId, fields)),
    error: (message, requestId, fields) => process.stderr.write(line("ERROR", message, requestId, fields)),
    signal: (signal) => metrics.count(signal),
    flush: () => metrics.write(),
  };
}

/** Of one metric; CloudWatch takes no more in one line. */
const VALUES_MAX = 100;

/** Counts that wait for the end of the call, and then are one line in CloudWatch's embedded metric format. */
class CollectedMetrics {
  readonly #counts = new Map<Signal, number>();

  constructor(private readonly functionName: string) {}

  count(signal: Signal): void {
    const count = (this.#counts.get(signal) ?? 0) + 1;
    this.#counts.set(signal, count);
    if (count === VALUES_MAX) this.write();
  }

  write(): void {
    if (this.#counts.size === 0) return;
    const names = [...this.#counts.keys()];
    const definition = {
      Namespace: METRICS.namespace,
      Dimensions: [["service"]],
      Metrics: names.map((Name) => ({ Name, Unit: "Count" })),
    };
    const values = names.map((name) => [name, onesOf(this.#counts.get(name) ?? 0)]);
    this.#counts.clear();
    const about = { Timestamp: Date.now(), CloudWatchMetrics: [definition] };
    process.stdout.write(
      `${JSON.stringify({ _aws: about, service: this.functionName, ...Object.fromEntries(values) })}\n`,
    );
  }
}

/** Each event is a separate value, so that the metric's number of samples is that of the events. */
function onesOf(count: number): number | number[] {
  return count === 1 ? 1 : Array.from({ length: count }, () => 1);
}
