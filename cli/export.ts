/** `payledger export`: exports the tables to the export bucket, as the schedules do. */

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import type { ExportResponse } from "../backup/export-operation";
import type { CommandBody } from "../evidence/commands/command";
import { DONE } from "../evidence/commands/program";
import { embeddedState } from "../local/embedded-state";
import { onAws } from "./aws";
import { bucketsOfEnvironment } from "./environment";
import { callFunction } from "./functions";

export const exportCommand: CommandBody = onAws({
  details:
    "Starts the exports by the function that the schedules start; DynamoDB writes the files within minutes. On the embedded AWS, which writes none, a stand-in writes them in DynamoDB's layout.",
  options: { incremental: { kind: "flag", about: "Only what changed since the last export. Default: everything." } },
  run: async (args, { answer }) => {
    args.noOperand();
    const kind = args.flag("incremental") ? "incremental" : "full";
    const response = await callFunction<ExportResponse>("exportTables", { kind });
    const written = await writeOnEmbedded();
    const bucket = (await bucketsOfEnvironment()).exports;
    const lines = [
      ...response.tables.map((table) => `${table.table}: exported until ${table.exportedUntil ?? "an earlier moment"}`),
      ...(written === undefined ? [] : [`The stand-in of the embedded AWS wrote the files of ${written} exports.`]),
      `Check them: npx payledger backup check s3://${bucket}/exports/`,
    ];
    answer({ bucket, ...response }, lines.join("\n"));
    return DONE;
  },
});

/** @returns how many exports got their files; undefined on AWS. */
async function writeOnEmbedded(): Promise<number | undefined> {
  const state = await embeddedState();
  if (state === undefined || state.endpoint !== process.env["AWS_ENDPOINT_URL"]) return undefined;
  const { writeRequestedExports } = require("../local/export-stand-in") as typeof import("../local/export-stand-in");
  const { account } = state;
  // As DynamoDB itself, past the permissions of people.
  const inside = {
    endpoint: state.inside,
    region: state.region,
    credentials: { accessKeyId: account, secretAccessKey: "embedded" },
    forcePathStyle: true,
  };
  return (await writeRequestedExports({ dynamo: new DynamoDBClient(inside), s3: new S3Client(inside) })).length;
}
