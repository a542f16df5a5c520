/** The published schemas of the functions that record what happens to payments after they were recorded. */

import { FUNCTIONS } from "../contract";
import { requestSchema } from "../ledger/rules/entries";
import { paymentEventSchema } from "../ledger/rules/payment-event";
import { eventsAnswerSchema, statusResponseSchema } from "../ledger/rules/responses";
import { statusChangeSchema } from "../ledger/rules/status-change";

const DESCRIPTION =
  "One event, a list, or a list with its actor around it. Each event is judged by itself: one that does not match is refused alone, and the others are recorded. Beyond this schema: each Kind has its Mode and its Of, as their descriptions say; an amount is above zero and has no more decimals than its currency has minor units in ISO 4217; text must be well-formed Unicode; card data is refused in every field; times must be real calendar dates.";

export const EVENT_FUNCTIONS = {
  [FUNCTIONS.updatePaymentStatus.name]: { request: statusChangeSchema, response: statusResponseSchema },
  [FUNCTIONS.recordPaymentEvent.name]: {
    request: requestSchema("events", paymentEventSchema, ["Actor"]).meta({
      title: "Payment events to record",
      description: DESCRIPTION,
    }),
    response: eventsAnswerSchema,
  },
};
