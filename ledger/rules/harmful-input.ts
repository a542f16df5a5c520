/** What no request may hold, because it would be kept: card data, and a token outside the field where it is encrypted. */

import { CardDataScanError, findCardData } from "./card-data";
import { type Refusal, refusal } from "./refusals";
import { holdsToken, SentTokens } from "./sent-tokens";

export interface InputPart {
  /** The tokens of the whole request. */
  readonly tokens: SentTokens;
  /** The part without what is stored encrypted as a token. */
  readonly clear: unknown;
}

/**
 * The refusal of a harmful input. It comes before any of the input is looked at further.
 * @param part given where the input is a part of a request, or has a field for a token.
 */
export function harmfulInput(input: unknown, part?: InputPart): Refusal | undefined {
  try {
    if (findCardData(input).length > 0) return refusal("CARD_DATA");
  } catch (error) {
    if (error instanceof CardDataScanError) return refusal("INPUT_TOO_COMPLEX");
    throw error;
  }
  const { tokens, clear } = part ?? { tokens: SentTokens.in(input), clear: input };
  return holdsToken(clear, tokens) ? refusal("TOKEN_IN_CLEAR") : undefined;
}
