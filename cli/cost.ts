/** `payledger cost`: its options, which the tool reads by the same table. What they mean is in `tools/cost/`. */

import type { Options } from "../evidence/commands/command";

const volume = (of: string) => ({ kind: "one", value: "N", about: `${of} a month.` }) as const;

export const COST_OPTIONS: Options = {
  single: volume("Payments that are sent alone"),
  list: volume("Payments in lists of 50"),
  message: volume("Payments as messages"),
  fileRow: volume("Payments in files"),
  refund: volume("Refunds that are held and settled, two events of a payment each"),
  event: volume("Audit events of other services"),
  read: volume("Payments that are read"),
  files: { kind: "one", value: "N", about: "Files that the payments in files are in. Default: one for each 500." },
  months: {
    kind: "one",
    value: "N",
    about: "What the last of N such months costs, with what the months before left. Default: 1, and nothing kept.",
  },
  zones: { kind: "one", value: "1-3", about: "Availability zones. Default: those of the environment." },
  connectivity: {
    kind: "one",
    value: "LAYOUT",
    about: "Layout of the network: privatelink, nat or nat-privatelink. Default: that of the environment.",
  },
  "private-api": { kind: "flag", about: "With the private API, and every call that can go through it." },
  write: { kind: "flag", about: "Write the tables of the documents again instead." },
};
