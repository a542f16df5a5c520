/** What the package offers. */

export {
  AuditEventClient,
  type AuditEventClientOptions,
  AuditEventsNotSent,
  type RefusedEvent,
  type SendResult,
  type SentEvent,
  type UnsentEvent,
} from "./audit-events";
export { LedgerCallFailed } from "./invoke";
export { LedgerClient, type LedgerClientOptions } from "./ledger";
export type * from "./results";
