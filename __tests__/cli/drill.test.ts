import type { InvokeCommand } from "@aws-sdk/client-lambda";
import { invoked, stepsHere, untilVerdict } from "../../cli/drill";
import { MemoryDrillBucket } from "../../evidence/checks/drill-state";
import type { DrillSettings } from "../../evidence/checks/drill-steps";
import { scratchNameOf } from "../../evidence/checks/drill-tables";
import { gatherReport } from "../../evidence/report/gather";
import { reportPage } from "../../evidence/report/page";
import type { PageEvidence } from "../../evidence/report/page-evidence";
import { checkEvidence } from "../../evidence/report/proof-check";
import { DrillWorld } from "../evidence/checks/drill-world";
import { dataIn } from "../evidence/report/fixture";
import { payledger } from "../support/run-in-process";

let world: DrillWorld;
beforeAll(async () => {
  world = await DrillWorld.start();
});
afterAll(() => world?.stop());

const POLL_SECONDS = 0.1;

function drill(command: ReturnType<typeof invoked>) {
  const printed: string[] = [];
  return untilVerdict(command, POLL_SECONDS, (text) => printed.push(text)).then(({ exitCode: code }) => ({
    code,
    printed,
  }));
}

/** A Lambda that runs the function here. */
const lambda = (days: number) => ({
  send: async ({ input }: InvokeCommand) => {
    const { kind } = JSON.parse(String(input.Payload)) as { kind: string };
    expect(input.FunctionName).toBe("drill_restore-dev");
    return { Payload: Buffer.from(JSON.stringify(await world.step(kind, days))) };
  },
});
const throughFunction = (days: number) => invoked(lambda(days) as never, "drill_restore-dev");

test("before there is anything to restore, it says so", async () => {
  await expect(drill(throughFunction(1))).rejects.toThrow("There is no full export of every table yet");
});

test("through the function: each step, the verdict, its exit code, the audit record", async () => {
  await world.ledger.record(3, world.day(0));
  await world.exportAll(1);
  const { code, printed } = await drill(throughFunction(1.1));
  expect(code).toBe(20);
  expect(printed).toEqual([
    `drill of ${world.day(1.1).toISOString()}: importing`,
    "  idle",
    `PASSED: tail-not-pinned. The report: drills/${world.day(1.1).toISOString()}.json`,
  ]);
  // A checkpoint pins the log's end only when the log has grown since.
  await world.ledger.seal(world.day(1.15));
  expect((await drill(throughFunction(1.2))).code).toBe(0);
  expect(await world.drillRecords()).toHaveLength(2);
});

test("on this machine: the same steps with separate tables, and no audit record", async () => {
  const state = new MemoryDrillBucket();
  const scratchName = (deployedName: string) => scratchNameOf(deployedName, "here-");
  let page = "";
  const onVerified: DrillSettings["onVerified"] = async (verify, verification) => {
    page = reportPage(await gatherReport({ verify, verification, madeAt: world.day(1.3) }));
  };
  const settings = { ...world.settings(), state, scratchName, onVerified };
  const { code, printed } = await drill(stepsHere(settings, () => world.day(1.3)));
  expect(page).toContain('<p class="verdict">TAIL-NOT-PINNED</p>');
  expect(await checkEvidence(JSON.parse(dataIn(page)) as PageEvidence)).toMatchObject({ state: "valid" });
  expect([code, printed.at(-1)]).toEqual([20, "PASSED: tail-not-pinned. The report: --json prints it"]);
  expect([...state.reports.values()].map((text) => JSON.parse(text) as object)).toEqual([
    expect.objectContaining({ passed: true, verdict: "tail-not-pinned" }),
  ]);
  expect(await world.scratchTables()).toEqual([]);
  expect(await world.drillRecords()).toHaveLength(2);
});

test("what was altered sets the exit code", async () => {
  await world.exportAll(2);
  await world.forgeExport("PaymentLedger", (line) => [
    line.replace('"Amount":{"S":"10.50"}', '"Amount":{"S":"10.51"}'),
  ]);
  const { code, printed } = await drill(throughFunction(2.1));
  expect([code, printed.at(-1)]).toEqual([10, expect.stringMatching(/^FAILED: altered\. The report: drills\//)]);
});

test("a function that fails is said, without its error's text", async () => {
  const failing = {
    send: async () => ({ FunctionError: "Unhandled", Payload: Buffer.from('{"errorMessage":"secret"}') }),
  };
  const run = drill(invoked(failing as never, "drill_restore-dev"));
  await expect(run).rejects.toThrow(
    /^drill_restore-dev failed\. Its log group \/aws\/lambda\/drill_restore-dev says why/,
  );
});

test.each([
  [["--anything"], "--anything"],
  [["a-table"], "a-table"],
  [["--poll-seconds", "0"], "--poll-seconds is a number above 0."],
  [["--key", "x"], "--key goes with --here."],
  [["--html", "x.html"], "--html goes with --here."],
  [["--here"], "--here takes --key"],
])("%j is refused, with the usage", async (words, message) => {
  const variables = { AWS_REGION: "us-east-1", AWS_ENDPOINT_URL: "http://127.0.0.1:9" };
  const { code, err } = await payledger(["drill", ...words], variables);
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(message) });
  expect(err).toContain("Usage: npx payledger drill");
});
