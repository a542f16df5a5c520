/**
 * The bundles hold this file in place of the SDK's `@smithy/core/event-streams`, 55 KB for calls whose answer is a stream
 * of events, such as S3's SelectObjectContent. No function makes such a call. `tools/build-handlers.ts` puts it there.
 */

import { CodedError } from "../../contract";

export class EventStreamError extends CodedError<"NO_EVENT_STREAMS"> {
  override readonly name = "EventStreamError";

  constructor() {
    super(
      "NO_EVENT_STREAMS",
      "The functions' bundles cannot read an answer that is a stream of events. Take the line for @smithy/core/event-streams out of tools/build-handlers.ts, then make the call.",
    );
  }
}

/** The client of S3 asks for it when it is made; nothing of it is used before a call with such an answer. */
export function resolveEventStreamSerdeConfig<Config>(config: Config): Config {
  return config;
}

/** @throws EventStreamError always. */
export function eventStreamSerdeProvider(): never {
  throw new EventStreamError();
}

export class EventStreamSerde {
  /** @throws EventStreamError always. */
  constructor() {
    throw new EventStreamError();
  }
}
