/** What the benchmarks need: an environment that the functions take, and medians of pairs. Nothing is timed here. */

import { spawnSync } from "node:child_process";
import { readEnvironment, readFilesEnvironment } from "../../handlers/runtime/environment";
import { interleaved, spreadOf } from "../../tools/bench/pairs";
import { FILES_BUCKET, functionEnvironment } from "../../tools/bench/stub";
import { judgePlan, reportOf } from "../support/missing-alarms";
import { PROJECT } from "../support/project-files";

test("the functions take the environment that the benchmarks give them", () => {
  const variables = { ...functionEnvironment("http://127.0.0.1:1"), AWS_LAMBDA_FUNCTION_NAME: "bench" };
  expect(readEnvironment(variables).functionName).toBe("bench");
  expect(readFilesEnvironment(variables).filesBucket).toBe(FILES_BUCKET);
});

test("a median lies in the middle, of an even number between the two", () => {
  expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
});

test("pairs are measured in turn, each second one the other way round, and the ratio is that of each pair", async () => {
  const order: string[] = [];
  const value = (name: string, values: number[]) => async () => {
    order.push(name);
    return values.shift() ?? Number.NaN;
  };
  const compared = await interleaved(3, value("ours", [1, 4, 9]), value("peer", [1, 2, 3]));
  expect(order).toEqual(["ours", "peer", "peer", "ours", "ours", "peer"]);
  expect(compared.ratio).toEqual({ median: 2, min: 1, max: 3 });
});

test("npm run model:alarms prints without Jest what the test of the model finds", () => {
  const program = ["--import", "tsx", "tools/bench/model-alarms.ts"];
  const { status, stdout } = spawnSync(process.execPath, program, { cwd: PROJECT, encoding: "utf8" });
  expect(status).toBe(0);
  for (const [id, judged] of judgePlan(1)) expect(stdout).toContain(`year 1, ${id}: ${reportOf(judged)}\n`);
});
