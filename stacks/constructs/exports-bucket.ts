/** The bucket of the table exports. Each kind of object in it has one writer. */

import type { Construct } from "constructs";
import { EXPORT_PREFIXES, PIECES_PREFIX } from "../../contract";
import { addBucket, type Bucket, onlyUnderKey, onlyWrittenBy } from "./bucket";

export interface ExportsBucketProps {
  readonly name: string;
  readonly label: string;
  readonly kmsKeyArn: string;
  readonly exportDays: number;
  readonly oldVersionDays: number;
  readonly emptyOnDestroy: boolean;
  /** DynamoDB writes an export in the name of the role that asked for it. */
  readonly exporterArn: string;
  readonly checkerArn: string;
  readonly drillArn: string;
  /** Of the role that leaves here what the pieces of a sweep have read; `null` where there are no pieces. */
  readonly sweeperArn: string | null;
}

/** Results of pieces serve one sweep. */
const PIECE_DAYS = 7;

export function addExportsBucket(scope: Construct, id: string, props: ExportsBucketProps): Bucket {
  const { kmsKeyArn, exportDays, sweeperArn, exporterArn, checkerArn, drillArn, ...bucket } = props;
  const { exports, state, checks, drills } = EXPORT_PREFIXES;
  return addBucket(scope, id, {
    ...bucket,
    kmsKeyArn,
    bucketKey: true,
    expiry: {
      [exports]: exportDays,
      [checks]: exportDays,
      [drills]: exportDays,
      ...(sweeperArn === null ? {} : { [PIECES_PREFIX]: PIECE_DAYS }),
    },
    statements: (bucketArn) => [
      ...onlyUnderKey(bucketArn, kmsKeyArn),
      onlyWrittenBy("OnlyExports", exporterArn, [`${bucketArn}/${exports}*`, `${bucketArn}/${state}*`]),
      onlyWrittenBy("OnlyChecks", checkerArn, [`${bucketArn}/${checks}*`]),
      onlyWrittenBy("OnlyDrills", drillArn, [`${bucketArn}/${drills}*`]),
      ...(sweeperArn === null ? [] : [onlyWrittenBy("OnlySweeps", sweeperArn, [`${bucketArn}/${PIECES_PREFIX}*`])]),
    ],
  });
}
