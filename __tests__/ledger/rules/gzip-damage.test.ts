/** Which errors of zlib say that the bytes are damaged. */

import { gunzipSync, gzipSync, inflateRawSync } from "node:zlib";
import { isGzipDamage } from "../../../ledger/rules/gzip-damage";

const whole = gzipSync("payments");

function errorOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("It did not fail.");
}

test.each<[string, () => unknown]>([
  ["no gzip", () => gunzipSync(Buffer.from("payments"))],
  ["no deflated bytes", () => inflateRawSync(Buffer.from("junk"))],
  ["an end too early", () => gunzipSync(whole.subarray(0, -1))],
  ["a checksum that does not hold", () => gunzipSync(Buffer.concat([whole.subarray(0, -8), Buffer.alloc(8, 1)]))],
  ["more bytes than are accepted", () => gunzipSync(whole, { maxOutputLength: 4 })],
])("damage: %s", (_what, act) => {
  expect(isGzipDamage(errorOf(act))).toBe(true);
});

test.each([{ code: "Z_MEM_ERROR" }, { code: "Z_STREAM_ERROR" }, { code: "ENOMEM" }, {}, undefined])(
  "no damage: %j",
  (error) => {
    expect(isGzipDamage(error)).toBe(false);
  },
);
