import { renderPolicyDocument } from "../../local/policy-document";
import type { TerraformObject } from "../../local/terraform-expression";

function render(document: TerraformObject): unknown {
  return JSON.parse(renderPolicyDocument("data.aws_iam_policy_document.x", document));
}

test("a statement is rendered as the AWS provider renders it", () => {
  const statement = {
    sid: "Write",
    effect: "Deny",
    not_actions: ["dynamodb:PutItem"],
    resources: ["arn:1", "arn:2"],
    not_principals: [
      { type: "AWS", identifiers: ["arn:a"] },
      { type: "AWS", identifiers: ["arn:b"] },
    ],
    condition: [
      { test: "StringEquals", variable: "aws:PrincipalArn", values: ["arn:aws:iam::1:role/&{aws:username}"] },
      { test: "StringEquals", variable: "aws:SourceAccount", values: ["1"] },
    ],
  };
  expect(render({ statement: [statement] })).toEqual({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "Write",
        Effect: "Deny",
        NotAction: "dynamodb:PutItem",
        Resource: ["arn:1", "arn:2"],
        NotPrincipal: { AWS: ["arn:a", "arn:b"] },
        Condition: {
          StringEquals: {
            "aws:PrincipalArn": [`arn:aws:iam::1:role/\${aws:username}`],
            "aws:SourceAccount": ["1"],
          },
        },
      },
    ],
  });
});

test("everybody is a star, and the defaults are Allow and the current version", () => {
  const statement = { actions: ["s3:GetObject"], principals: [{ type: "*", identifiers: ["*"] }] };
  expect(render({ statement: [statement] })).toEqual({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "s3:GetObject", Principal: "*" }],
  });
});

test.each([
  ["of the document", { source_policy_documents: ["{}"] }],
  ["of a statement", { statement: [{ actions: ["a:b"], principal: "*" }] }],
])("an unknown argument %s is refused", (_place, document) => {
  expect(() => render(document)).toThrow(expect.objectContaining({ code: "EXPRESSION_UNRESOLVED" }));
});
