/** What the record of a payment holds beside the payment. */
export interface Recording {
  /** By the ledger's own clock. */
  readonly recordedAt: string;
  /** MAC of what was sent; decides whether the same id comes with the same content. */
  readonly contentMac: string;
}
