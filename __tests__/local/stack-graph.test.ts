/** Which outputs a deployment here gives out. Needs no emulator: everything in these stacks is only planned. */

import type { DeployContext } from "../../local/resources/context";
import { StackGraph } from "../../local/stack-graph";
import { readSynthesized } from "../../local/synthesized";
import { REGION, writeStacks } from "./fixture";

const CONTEXT: DeployContext = {
  account: "111122223333",
  region: REGION,
  partition: "aws",
  client: () => {
    throw new Error("nothing is asked");
  },
  archives: new Map(),
  afterwards: () => undefined,
  functionEnvironment: async (_name, planned) => ({ ...planned }),
};

test("the URL of an API that is only planned is not given out, and every other output is", async () => {
  const body = {
    resource: { aws_vpc: { vpc: {} }, aws_api_gateway_rest_api: { api: { name: "api" } } },
    output: {
      ApiUrl: { value: `https://\${aws_api_gateway_rest_api.api.id}.execute-api.${REGION}.amazonaws.com/v1` },
      VPCId: { value: `\${aws_vpc.vpc.id}` },
      Documentation: { value: "https://docs.example/" },
    },
  };
  const graph = new StackGraph(readSynthesized(writeStacks({ only: { body } })), CONTEXT);
  await graph.deploy();
  expect(await graph.outputs()).toEqual({
    only: { VPCId: expect.stringMatching(/^vpc-/), Documentation: "https://docs.example/" },
  });
});
