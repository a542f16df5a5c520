/** What is recorded with a payment and is not part of its content. */

import type { Imported } from "../rules/imported";

/** What the record of a payment holds beside the payment. */
export interface Recording {
  /** By the ledger's own clock. */
  readonly recordedAt: string;
  /** MAC of what was sent; decides whether the same id comes with the same content. */
  readonly contentMac: string;
  /** The mark of a payment that another system recorded before. */
  readonly imported?: Imported | undefined;
}
