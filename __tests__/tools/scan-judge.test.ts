import { type Exception, judge, type ScanReport, tfsecResults } from "../../tools/scan-judge";

const check = (check_id: string, resource: string) => ({ check_id, check_name: "A rule", resource, file_path: "/x" });
const passes = Array.from({ length: 300 }, (_, i) => check("CKV_1", `r.${i}`));

function report(changes: Partial<ScanReport> = {}): ScanReport {
  return { environment: "dev", passed_checks: passes, failed_checks: [], parsing_errors: [], ...changes };
}

const exception: Exception = { check: "CKV_2", resource: "data.*-key-policy", reason: "Because." };
const FILE = "tools/exceptions.json";
const failure = check("CKV_2", "data.token-key-policy");

test("an exception covers its check on its resources", () => {
  expect(judge([report({ failed_checks: [failure] })], [exception], FILE)).toEqual({
    passed: 300,
    excepted: 1,
    problems: [],
  });
});

test.each<[string, ScanReport[], Exception[], RegExp]>([
  [
    "a failure without exception",
    [report({ failed_checks: [failure] })],
    [],
    /CKV_2 A rule\. .* tools\/exceptions\.json/,
  ],
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
  ["a file that the scanner cannot parse", [report({ parsing_errors: ["cdk.tf.json"] })], [], /cannot parse cdk/],
])("%s fails the run", (_, reports, exceptions, message) => {
  expect(judge(reports, exceptions, FILE).problems.join("\n")).toMatch(message);
});

test("tfsec's report is read in Checkov's form", () => {
  const result = {
    long_id: "aws-1",
    rule_description: "A rule",
    resource: "r.x",
    location: { filename: "/out/stacks/a/cdk.tf" },
  };
  const results = [
    { ...result, description: "It is broken", status: 0 },
    { ...result, description: "", status: 1 },
  ];
  const read = { check_id: "aws-1", resource: "r.x", file_path: "/stacks/a/cdk.tf" };
  expect(tfsecResults(JSON.stringify({ results }), "/out")).toEqual({
    passed_checks: [{ ...read, check_name: "A rule" }],
    failed_checks: [{ ...read, check_name: "It is broken" }],
    parsing_errors: [],
  });
  // What it answers when it found no file.
  expect(tfsecResults('{"results":null}', "/out")).toEqual({
    passed_checks: [],
    failed_checks: [],
    parsing_errors: [],
  });
});
