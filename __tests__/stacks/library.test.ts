/** The constructs in another app: `samples/library/main.ts` synthesizes, with the protections that the constructs promise. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { refundsApp } from "../../samples/library/main";
import { only, reference, STUB_ARTIFACTS, type StackJson, statement, statements } from "../support/synth";

let stack: StackJson;
beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), "library-test-"));
  refundsApp(STUB_ARTIFACTS.handlerCode("decide-refund"), folder).synth();
  stack = JSON.parse(readFileSync(join(folder, "stacks", "refunds", "cdk.tf.json"), "utf8")) as StackJson;
  rmSync(folder, { recursive: true });
});

const ROLE = reference("aws_iam_role.decide-role.arn");
const OTHERS = [{ test: "ArnNotEquals", variable: "aws:PrincipalArn", values: [ROLE] }];

test("the table takes puts of its one role, and no update, delete or batch of anybody", () => {
  expect(only(stack, "aws_dynamodb_table", "refund-decisions")).toMatchObject({
    name: "RefundDecisions",
    hash_key: "DecisionID",
    deletion_protection_enabled: true,
    stream_view_type: "NEW_AND_OLD_IMAGES",
  });
  const guard = "refund-decisions-guard-policy";
  expect(statement(stack, guard, "OnlyFunctionsPut").condition).toEqual(OTHERS);
  expect(statement(stack, guard, "AppendOnly").actions).toEqual(
    expect.arrayContaining(["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:UpdateItem"]),
  );
});

test("the bucket takes puts of its one role, locks them, and needs neither kit, sweep nor attester", () => {
  expect(only(stack, "aws_s3_bucket_object_lock_configuration", "refund-evidence-lock")).toMatchObject({
    rule: { default_retention: { mode: "COMPLIANCE", days: 400 } },
  });
  const document = "refund-evidence-policy-document";
  expect(statement(stack, document, "OnlyPublisher").condition).toEqual(OTHERS);
  for (const sid of ["OnlySweep", "OnlyAttester", "OnlyWitnesses"]) {
    expect(statement(stack, document, sid)).toMatchObject({ effect: "Deny", actions: ["s3:PutObject"] });
    // Without a condition: nobody may.
    expect(statement(stack, document, sid).condition).toBeUndefined();
  }
  expect(statements(stack, document).map(({ sid }) => sid)).toContain("NeverRemoved");
  expect(Object.keys(stack.provider)).toEqual(["aws"]);
});

test("the function has the code that it was given, in its stack's folder", () => {
  expect(only(stack, "aws_lambda_function", "decide-refund")).toMatchObject({
    function_name: "decide_refund",
    role: ROLE,
    source_code_hash: Buffer.from("5".repeat(64), "hex").toString("base64"),
    filename: expect.stringMatching(/^\$\{path\.module\}\/assets\//),
  });
});

test("nothing of this project's own deployment is in it", () => {
  expect(JSON.stringify({ ...stack, "//": undefined })).not.toMatch(/payment-|PaymentLedger|paymentledger/);
});
