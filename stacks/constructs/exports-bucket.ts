/** The bucket of the table exports. Each kind of object in it has one writer. */

import type { Construct } from "constructs";
import { EXPORT_PREFIXES, FUNCTIONS, PIECES_PREFIXES, type PiecedCheck } from "../../contract";
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
  /** Of each check in pieces the role that leaves here what the pieces have read. */
  readonly pieceWriters: readonly { readonly check: PiecedCheck; readonly roleArn: string }[];
}

/** Results of pieces serve one check. */
const PIECE_DAYS = 7;

export function addExportsBucket(scope: Construct, id: string, props: ExportsBucketProps): Bucket {
  const { kmsKeyArn, exportDays, pieceWriters, exporterArn, checkerArn, drillArn, ...bucket } = props;
  const { exports, state, checks, drills } = EXPORT_PREFIXES;
  return addBucket(scope, id, {
    ...bucket,
    kmsKeyArn,
    bucketKey: true,
    expiry: {
      [exports]: exportDays,
      [checks]: exportDays,
      [drills]: exportDays,
      ...Object.fromEntries(pieceWriters.map(({ check }) => [PIECES_PREFIXES[check], PIECE_DAYS])),
    },
    statements: (bucketArn) => [
      ...onlyUnderKey(bucketArn, kmsKeyArn),
      onlyWrittenBy("OnlyExports", exporterArn, [`${bucketArn}/${exports}*`, `${bucketArn}/${state}*`]),
      onlyWrittenBy("OnlyChecks", checkerArn, [`${bucketArn}/${checks}*`]),
      onlyWrittenBy("OnlyDrills", drillArn, [`${bucketArn}/${drills}*`]),
      ...pieceWriters.map(({ check, roleArn }) =>
        onlyWrittenBy(`OnlyPiecesOf${pascalCase(FUNCTIONS[check].entry)}`, roleArn, [
          `${bucketArn}/${PIECES_PREFIXES[check]}*`,
        ]),
      ),
    ],
  });
}

/** `sweep-audit-trail` as `SweepAuditTrail`. */
function pascalCase(entry: string): string {
  return entry.replace(/(^|-)[a-z]/g, (start) => start.slice(-1).toUpperCase());
}
