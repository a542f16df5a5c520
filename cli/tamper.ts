/**
 * `payledger tamper`: what an administrator can do past the functions, on the embedded AWS only: takes the policy off the
 * table and changes an amount in place. It exists so that everybody can see the audit find it.
 */

import {
  DeleteResourcePolicyCommand,
  DescribeTableCommand,
  DynamoDBClient,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { CommandBody } from "../evidence/commands/command";
import { ANSWER_IS_NO, DONE } from "../evidence/commands/program";
import { embeddedState } from "../local/embedded-state";
import { loadConfig } from "../stacks/config/load";
import { namesOf } from "../stacks/config/names";
import { onAws } from "./aws";
import { CommandError } from "./errors";

export const tamperCommand: CommandBody = onAws({
  operands: "ID",
  details:
    "As an administrator, past the ledger's functions. The table's own policy refuses the change, as on AWS; with --without-policy it is taken off first. Refused everywhere but on the embedded AWS. Ends with 1 when the change was refused.",
  options: {
    amount: { kind: "one", value: "AMOUNT", required: true, about: "The amount that the record shall have." },
    "without-policy": { kind: "flag", about: "Take the table's policy off first." },
  },
  examples: ["tamper txn-0001 --amount 0.01", "tamper txn-0001 --amount 0.01 --without-policy"],
  run: async (args, { answer }) => {
    const id = args.onlyOperand("id");
    await assertEmbedded();
    const dynamo = new DynamoDBClient({});
    const TableName = namesOf(loadConfig()).tables.paymentLedger;
    if (args.flag("without-policy")) await removePolicy(dynamo, TableName);
    const refusal = await changed(dynamo, TableName, id, args.needed("amount"));
    const text =
      refusal === undefined
        ? `The amount of ${id} was changed in the table. Let an auditor look: npx payledger audit`
        : `refused: ${refusal}\nAn administrator can take that policy off, and CloudTrail would record it: --without-policy`;
    answer({ id, changed: refusal === undefined, ...(refusal === undefined ? {} : { refusal }) }, text);
    return refusal === undefined ? DONE : ANSWER_IS_NO;
  },
});

async function assertEmbedded(): Promise<void> {
  const state = await embeddedState();
  if (state !== undefined && state.endpoint === process.env["AWS_ENDPOINT_URL"]) return;
  throw new CommandError(
    "NOT_EMBEDDED",
    "tamper works on the embedded AWS of this folder only, and this command would go elsewhere. Bring it up with npx payledger up, and give no --profile, --region or --endpoint-url.",
  );
}

async function removePolicy(dynamo: DynamoDBClient, TableName: string): Promise<void> {
  const { Table } = await dynamo.send(new DescribeTableCommand({ TableName }));
  await dynamo.send(new DeleteResourcePolicyCommand({ ResourceArn: Table?.TableArn }));
}

/** @returns what AWS says when it refuses. */
async function changed(dynamo: DynamoDBClient, TableName: string, id: string, amount: string) {
  try {
    await dynamo.send(
      new UpdateItemCommand({
        TableName,
        Key: { TransactionID: { S: id } },
        ConditionExpression: "attribute_exists(TransactionID)",
        UpdateExpression: "SET Amount = :amount",
        ExpressionAttributeValues: { ":amount": { S: amount } },
      }),
    );
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error.name === "AccessDeniedException") return error.message;
    if (error.name !== "ConditionalCheckFailedException") throw error;
    throw new CommandError(
      "NOT_FOUND",
      `There is no payment ${id} in ${TableName}. Record one first: npx payledger pay`,
    );
  }
}
