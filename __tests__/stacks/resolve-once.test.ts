/** Stacks that are resolved once have the same blocks as when CDKTF resolves them. */

import { TerraformStack } from "cdktf";
import { ResolvedOnceStack } from "../../stacks/resolve-once";
import { configOf, synthesizeAnew, WITH_PRIVATE_API } from "../support/synth";

afterEach(() => jest.restoreAllMocks());

function byCdktfAlone(): void {
  const own = TerraformStack.prototype;
  jest.spyOn(ResolvedOnceStack.prototype, "prepareStack").mockImplementation(function (this: TerraformStack) {
    own.prepareStack.call(this);
  });
  jest.spyOn(ResolvedOnceStack.prototype, "toTerraform").mockImplementation(function (this: TerraformStack) {
    return own.toTerraform.call(this);
  });
}

test.each([
  ["production with the private API", configOf("prod", WITH_PRIVATE_API)],
  ["development with a NAT gateway", configOf("dev", { connectivity: "nat" })],
])("every file of %s is the same, byte for byte", (_, config) => {
  const ours = synthesizeAnew(config);
  byCdktfAlone();
  expect([...ours]).toEqual([...synthesizeAnew(config)]);
});
