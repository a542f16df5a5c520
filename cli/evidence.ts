/**
 * `npm run evidence -- ...`: verifies the log of proofs, makes and checks proofs, runs a witness, and copies evidence and
 * tables to disk. Only `fetch` and `scan` talk to AWS, or to the endpoint that AWS_ENDPOINT_URL names.
 */

import "../local/sdk-warning";
import { main, OFFLINE } from "../evidence/commands/cli";
import { fetch, scan } from "./evidence-aws";

void main({ ...OFFLINE, fetch, scan }, "npm run evidence --");
