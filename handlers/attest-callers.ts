/** Says from CloudTrail's files who called on the day before, on schedule. */

import { CloudTrailClient } from "@aws-sdk/client-cloudtrail";
import { FUNCTIONS } from "../contract";
import { attestCallers } from "../evidence/checks/attest-operation";
import { s3Trail } from "../evidence/checks/s3-trail";
import { evidenceBucket } from "../evidence/sealing/evidence-bucket";
import { backOff } from "../ledger/store/transaction";
import { s3Client } from "./runtime/clients";
import { readEvidenceKeyArn, readTrailEnvironment } from "./runtime/environment";
import { OBSERVER } from "./runtime/process";
import { serve } from "./runtime/serve";
import { VARIABLES } from "./runtime/variables";

const { evidenceBucket: bucket, ...trail } = readTrailEnvironment(VARIABLES);
const operation = FUNCTIONS.attestCallers.name;
const s3 = s3Client(VARIABLES);
const settings = {
  trail: s3Trail(s3, () => new CloudTrailClient({ maxAttempts: 5 }), {
    bucket: trail.trailBucket,
    digestPrefix: trail.trailDigestPrefix,
  }),
  evidence: evidenceBucket(s3, { bucket, keyArn: readEvidenceKeyArn(VARIABLES) }, backOff),
  logLine: (requestId: string, code: string) =>
    OBSERVER.error("the callers of a day need attention", requestId, { operation, code }),
};

export const handler = serve(operation, (event, call, services) => attestCallers(event, call, services, settings));
