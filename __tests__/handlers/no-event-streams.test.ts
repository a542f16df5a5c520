import {
  EventStreamError,
  EventStreamSerde,
  eventStreamSerdeProvider,
  resolveEventStreamSerdeConfig,
} from "../../handlers/runtime/no-event-streams";

test("a client can be made without streams of events, and an answer that needs them is refused", () => {
  expect(resolveEventStreamSerdeConfig({ region: "eu-west-1" })).toEqual({ region: "eu-west-1" });
  expect(() => eventStreamSerdeProvider()).toThrow(EventStreamError);
  expect(() => new EventStreamSerde()).toThrow(expect.objectContaining({ code: "NO_EVENT_STREAMS" }));
});
