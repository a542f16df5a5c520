/** Appends to the log of proofs the changes that the tables' streams report. */

import { FUNCTIONS } from "../contract";
import { openLog } from "../evidence/sealing/append";
import { sealAuditTrail } from "../evidence/sealing/seal";
import { dynamoClient } from "./runtime/clients";
import { readLogStateEnvironment } from "./runtime/environment";
import { OBSERVER } from "./runtime/process";
import { serve } from "./runtime/serve";
import { VARIABLES } from "./runtime/variables";

const { logStateTable: tableName, logOrigin: origin } = readLogStateEnvironment(VARIABLES);
const operation = FUNCTIONS.sealAuditTrail.name;
const settings = {
  log: openLog({ dynamo: dynamoClient(), tableName, origin }),
  logLine: (requestId: string, code: string) =>
    OBSERVER.error("the log needs attention", requestId, { operation, code }),
};

export const handler = serve(operation, (event, call, services) => sealAuditTrail(event, call, services, settings));
