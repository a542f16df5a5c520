import { type CheckovReport, type Exception, judge } from "../../tools/checkov-judge";

const check = (check_id: string, resource: string) => ({ check_id, check_name: "A rule", resource, file_path: "/x" });
const passes = Array.from({ length: 300 }, (_, i) => check("CKV_1", `r.${i}`));

function report(changes: Partial<CheckovReport> = {}): CheckovReport {
  return { environment: "dev", passed_checks: passes, failed_checks: [], parsing_errors: [], ...changes };
}

const exception: Exception = { check: "CKV_2", resource: "data.*-key-policy", reason: "Because." };
const failure = check("CKV_2", "data.token-key-policy");

test("an exception covers its check on its resources", () => {
  expect(judge([report({ failed_checks: [failure] })], [exception])).toEqual({
    passed: 300,
    excepted: 1,
    problems: [],
  });
});

test.each<[string, CheckovReport[], Exception[], RegExp]>([
  ["a failure without exception", [report({ failed_checks: [failure] })], [], /CKV_2 A rule/],
  ["another check", [report({ failed_checks: [check("CKV_3", "data.x-key-policy")] })], [], /CKV_3/],
  ["a resource that only looks alike", [report({ failed_checks: [check("CKV_2", "dataX-key-policy")] })], [], /dataX/],
  ["a stale exception", [report()], [exception], /stale/],
  [
    "an exception of another environment",
    [report({ failed_checks: [failure] })],
    [{ ...exception, environment: "prod" }],
    /Mend the stack/,
  ],
  ["an exception without reason", [report({ failed_checks: [failure] })], [{ ...exception, reason: " " }], /no reason/],
  ["a scan that read nothing", [report({ passed_checks: [] })], [], /only 0 checks passed/],
  ["a file that Checkov cannot parse", [report({ parsing_errors: ["cdk.tf.json"] })], [], /cannot parse cdk/],
])("%s fails the run", (_, reports, exceptions, message) => {
  expect(judge(reports, exceptions).problems.join("\n")).toMatch(message);
});
