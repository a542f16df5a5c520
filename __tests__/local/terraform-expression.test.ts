import { type Json, type Lookup, resolveTemplate, resolveValue } from "../../local/terraform-expression";

/** Knows one resource, `aws_kms_key.data`, and the module's path. */
const lookup: Lookup = async (path) => {
  if (path[0] === "path") return { value: "/stack", rest: path.slice(2) };
  return { value: { arn: "arn:1", tags: ["a", "b"], dns: [{ name: "host" }] }, rest: path.slice(2) };
};

const REF = "aws_kms_key.data";

test.each<[string, Json]>([
  ["plain text", "plain text"],
  [`\${${REF}.arn}`, "arn:1"],
  [`\${${REF}.tags}`, ["a", "b"]],
  [`key \${${REF}.arn} in \${path.module}/x`, "key arn:1 in /stack/x"],
  [`\${${REF}.tags[1]}`, "b"],
  [`\${${REF}["tags"][0]}`, "a"],
  [`\${${REF}.dns[0]["name"]}`, "host"],
  [`\${element(${REF}.dns, 0)["name"]}`, "host"],
  [`\${element(${REF}.tags, 3)}`, "b"],
  [`\${join(",", ${REF}.tags)}`, "a,b"],
  [`\${join("-", ["x", "\${${REF}.arn}", 1, true])}`, "x-arn:1-1-true"],
  [`\${jsonencode({"Key" = ${REF}.arn, List = [1, null]})}`, '{"Key":"arn:1","List":[1,null]}'],
  [`\${sha1("abc")}`, "a9993e364706816aba3e25717850c26c9cd0d89d"],
  [`\${jsonencode({ "a": "say \\"hi\\"\\n" })}`, '{"a":"say \\"hi\\"\\n"}'],
  [`\${concat(${REF}.tags, ["c"])}`, ["a", "b", "c"]],
  [`\${toset(["a", "a"])}`, ["a"]],
  [`\${timeadd("2026-11-30T23:30:00Z", "24h")}`, "2026-12-01T23:30:00Z"],
  [`$\${not.a.reference}`, `\${not.a.reference}`],
  ["%%{not a directive}", "%{not a directive}"],
  [`\${"$\${literal}"}`, `\${literal}`],
])("%s is resolved", async (template, expected) => {
  expect(await resolveTemplate(template, lookup)).toEqual(expected);
});

test.each([
  ["an unknown function", `\${file("secret")}`, "the function file() is not one of"],
  ["a conditional", `\${true ? 1 : 2}`, 'expected "}"'],
  ["an operator", `\${1 + 2}`, 'expected "}"'],
  ["a splat", `\${${REF}.dns.*.name}`, "splats are not supported"],
  ["a for expression", `\${[for x in ${REF}.tags : x]}`, 'expected ","'],
  ["a directive", "%{ if true }x%{ endif }", "template directives"],
  ["an unfinished expression", `\${${REF}.arn`, 'expected "}"'],
  ["an empty expression", `\${}`, "only references, literals and function calls"],
  ["an attribute that does not exist", `\${${REF}.arm}`, 'no value at "arm"'],
  ["an index that does not exist", `\${${REF}.tags[7]}`, "no value at 7"],
  ["a list inside a text", `x\${${REF}.tags}`, "cannot be part of a text"],
  ["a duration in another unit", `\${timeadd(timestamp(), "1m")}`, "arguments of another kind"],
  ["arguments of another kind", `\${join(",", "no list")}`, "arguments of another kind"],
  ["a computed index", `\${${REF}.tags[${REF}.arn]}`, "an index must be a number or a plain text"],
])("%s is refused by name", async (_case, template, reason) => {
  await expect(resolveTemplate(template, lookup)).rejects.toMatchObject({
    code: "EXPRESSION_UNRESOLVED",
    message: expect.stringContaining(reason),
  });
  await expect(resolveTemplate(template, lookup)).rejects.toThrow(template);
});

test("every text in a nested value is resolved, and nothing else is touched", async () => {
  const value = { a: [`\${${REF}.arn}`, 1, null], b: { c: true, d: "x" } };
  expect(await resolveValue(value, lookup)).toEqual({ a: ["arn:1", 1, null], b: { c: true, d: "x" } });
});
