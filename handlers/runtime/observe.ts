/** Logs and metrics: one structured line an event, from an allow-list of fields; never an event, a body or an SDK answer. */

import { LogFormatter, Logger, LogItem } from "@aws-lambda-powertools/logger";
import type { LogAttributes, UnformattedAttributes } from "@aws-lambda-powertools/logger/types";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
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

class AllowListFormatter extends LogFormatter {
  override formatAttributes(attributes: UnformattedAttributes, additional: LogAttributes): LogItem {
    const line: LogAttributes = {
      level: attributes.logLevel,
      message: attributes.message,
      timestamp: this.formatTimestamp(attributes.timestamp),
      service: attributes.serviceName,
      requestId: additional["requestId"],
    };
    for (const field of LOGGABLE_FIELDS) {
      if (additional[field] !== undefined) line[field] = additional[field];
    }
    return new LogItem({ attributes: line });
  }
}

export interface Observer {
  info(message: string, requestId: string, fields: LogFields): void;
  error(message: string, requestId: string, fields: LogFields): void;
  readonly signal: (signal: Signal) => void;
  /** Writes the collected metrics; called at the end of each invocation. */
  flush(): void;
}

export function makeObserver(functionName: string): Observer {
  const logger = new Logger({ serviceName: functionName, logFormatter: new AllowListFormatter() });
  const metrics = new Metrics({ namespace: METRICS.namespace, serviceName: functionName });
  return {
    info: (message, requestId, fields) => logger.info(message, { requestId, ...fields }),
    error: (message, requestId, fields) => logger.error(message, { requestId, ...fields }),
    signal: (signal) => {
      metrics.addMetric(signal, MetricUnit.Count, 1);
    },
    flush: () => {
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    },
  };
}
