/** The conditions of policy statements: the operators and keys that this project's policies use. Any other is refused. */

import { LocalError } from "../errors";

/** Values of a request by condition key, the keys in lower case. */
export type ConditionContext = ReadonlyMap<string, string | readonly string[]>;
export type Test = (context: ConditionContext) => boolean;
type Match = (value: string) => boolean;

/** The keys that `authorisationsOf` and the platform's own calls give a value, or leave out where AWS leaves them out. */
const KEYS = new Set(
  [
    ...["aws:PrincipalAccount", "aws:PrincipalArn", "aws:SecureTransport", "aws:SourceAccount", "aws:SourceArn"],
    ...["dynamodb:Attributes", "dynamodb:Select", "lambda:SourceFunctionArn"],
    ...["kms:CallerAccount", "kms:GrantIsForAWSResource", "kms:MacAlgorithm", "kms:MessageType"],
    ...["kms:SigningAlgorithm", "kms:ViaService"],
    ...["s3:if-match", "s3:if-none-match", "s3:prefix", "s3:x-amz-acl", "s3:x-amz-server-side-encryption"],
    ...["s3:x-amz-server-side-encryption-aws-kms-key-id", "s3:x-amz-server-side-encryption-customer-algorithm"],
  ].map((key) => key.toLowerCase()),
);
const ENCRYPTION_CONTEXT = "kms:encryptioncontext:";

/** Each operator makes a test of one value. */
const OPERATORS: Readonly<Record<string, (wanted: string) => Match>> = {
  StringEquals: (wanted) => (value) => value === wanted,
  StringLike: (wanted) => pattern(wanted),
  ArnEquals: arnPattern,
  ArnLike: arnPattern,
  Bool: (wanted) => (value) => value.toLowerCase() === wanted.toLowerCase(),
};
const NEGATED: Readonly<Record<string, string>> = {
  StringNotEquals: "StringEquals",
  StringNotLike: "StringLike",
  ArnNotEquals: "ArnEquals",
  ArnNotLike: "ArnLike",
};
const FOR_ALL = "ForAllValues:";

/** @throws LocalError `POLICY_UNSUPPORTED` for an operator or key whose meaning is not carried out here. */
export function conditionTest(operator: string, key: string, wanted: readonly string[], where: string): Test {
  const name = key.toLowerCase();
  if (!KEYS.has(name) && !name.startsWith(ENCRYPTION_CONTEXT)) throw unsupported(where, `the condition key ${key}`);
  if (operator === "Null") return (context) => context.has(name) !== (wanted[0]?.toLowerCase() === "true");
  const forAll = operator.startsWith(FOR_ALL);
  const bare = forAll ? operator.slice(FOR_ALL.length) : operator;
  const negated = NEGATED[bare];
  const makeTest = OPERATORS[negated ?? bare];
  if (makeTest === undefined) throw unsupported(where, `the condition operator ${operator}`);
  const tests = wanted.map(makeTest);
  const isWanted = (value: string) => tests.some((test) => test(value)) === (negated === undefined);
  return (context) => {
    const found = context.get(name);
    // An absent key satisfies ForAllValues and every negated operator, and no other.
    if (found === undefined) return forAll || negated !== undefined;
    const values = typeof found === "string" ? [found] : found;
    return forAll || negated !== undefined ? values.every(isWanted) : values.some(isWanted);
  };
}

/** `*` is any characters and `?` is one. */
export function pattern(text: string, ignoreCase = false): Match {
  if (text === "*") return () => true;
  if (!/[*?]/.test(text)) {
    if (!ignoreCase) return (value) => value === text;
    const lower = text.toLowerCase();
    return (value) => value.toLowerCase() === lower;
  }
  const escaped = text.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  const expression = new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, ignoreCase ? "is" : "s");
  return (value) => expression.test(value);
}

const ARN_PARTS = 6;

/** Part by part: a `*` does not reach over a colon of the first five parts. */
function arnPattern(wanted: string): Match {
  const tests = arnParts(wanted).map((part) => pattern(part));
  return (value) => {
    const parts = arnParts(value);
    return parts.length === tests.length && tests.every((test, index) => test(parts[index] ?? ""));
  };
}

function arnParts(arn: string): string[] {
  const parts = arn.split(":");
  return parts.length <= ARN_PARTS ? parts : [...parts.slice(0, ARN_PARTS - 1), parts.slice(ARN_PARTS - 1).join(":")];
}

export function unsupported(where: string, what: string): LocalError {
  return new LocalError(
    "POLICY_UNSUPPORTED",
    `${where} uses ${what}, which the embedded AWS cannot evaluate, so it could not tell what AWS would allow. ` +
      "Write the policy without it, or teach local/iam/ what AWS documents about it.",
  );
}
