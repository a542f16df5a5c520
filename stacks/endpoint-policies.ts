/** What the functions may do through each endpoint of the VPC, in every layout. */

import { EVIDENCE_PREFIX, EXPORT_PREFIXES, FILE_PREFIXES } from "../contract";
import { type Condition, EVERYBODY, type Statement } from "./constructs/policy";
import { SCRATCH_TABLE_ACTIONS } from "./log-boundary";

export interface EndpointArns {
  readonly tableArns: string[];
  readonly indexArns: string[];
  readonly filesArn: string;
  readonly exportsArn: string;
  readonly evidenceArn: string;
  /** Prefixes of the export bucket where checks leave what their pieces have read. */
  readonly piecePrefixes: readonly string[];
  readonly trailBucketArn: string;
  /** A pattern: what CloudTrail wrote for this account. */
  readonly trailFilesArn: string;
  readonly logStateArn: string;
  /** A pattern: the tables of restore drills. */
  readonly scratchArn: string;
  readonly fieldKeyArns: string[];
  readonly macKeyArn: string;
  /** The generations that sign. */
  readonly checkpointKeyArns: readonly string[];
  readonly retiredCheckpointKeyArns: readonly string[];
  /**
   * The roles of the functions, by condition: as principals, `arn:...:root` would mean the root user alone, and gateway
   * endpoints accept no role at all.
   */
  readonly callers: Condition[];
}

export class EndpointPolicies {
  constructor(private readonly arns: EndpointArns) {}

  dynamodb(): Statement[] {
    const { tableArns, indexArns, logStateArn, scratchArn } = this.arns;
    return [
      this.allow(
        "TablesOfThisProject",
        [
          "dynamodb:ConditionCheckItem",
          "dynamodb:GetItem",
          "dynamodb:PutItem",
          "dynamodb:Query",
          "dynamodb:Scan",
          "dynamodb:UpdateItem",
        ],
        [...tableArns, ...indexArns],
      ),
      this.allow(
        "ExportsOfThisProject",
        ["dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTable", "dynamodb:ExportTableToPointInTime"],
        tableArns,
      ),
      this.allow(
        "DescribeExports",
        ["dynamodb:DescribeExport"],
        tableArns.map((arn) => `${arn}/export/*`),
      ),
      // DynamoDB lists the exports of all tables or of none.
      this.allow("FindExports", ["dynamodb:ListExports"], ["*"]),
      this.allow("LogState", ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"], [logStateArn]),
      this.allow("ScratchTables", SCRATCH_TABLE_ACTIONS, [scratchArn]),
      this.allow("DescribeImports", ["dynamodb:DescribeImport"], [`${scratchArn}/import/*`]),
    ];
  }

  s3(): Statement[] {
    const { filesArn, exportsArn, evidenceArn, trailBucketArn, trailFilesArn } = this.arns;
    const { payments, continuations, reports } = FILE_PREFIXES;
    const { exports, state, checks, drills } = EXPORT_PREFIXES;
    const under = (bucketArn: string, ...prefixes: string[]) => prefixes.map((prefix) => `${bucketArn}/${prefix}*`);
    return [
      this.allow("ReadFiles", ["s3:GetObject"], under(filesArn, payments, continuations, reports)),
      this.allow("PaymentFiles", ["s3:DeleteObjectVersion", "s3:GetObjectVersion"], under(filesArn, payments)),
      this.allow("WriteReports", ["s3:PutObject"], under(filesArn, continuations, reports)),
      this.allow(
        "ReadExports",
        ["s3:GetObject"],
        under(exportsArn, exports, state, drills, ...this.arns.piecePrefixes),
      ),
      // Not the exports themselves: DynamoDB writes them, and not through this endpoint. So no function's code can forge one.
      this.allow("WriteChecks", ["s3:PutObject"], under(exportsArn, state, checks, drills, ...this.arns.piecePrefixes)),
      this.allow("Evidence", ["s3:GetObject", "s3:PutObject"], [`${evidenceArn}/${EVIDENCE_PREFIX}*`]),
      this.allow("ReadTrail", ["s3:GetObject"], [trailFilesArn]),
      this.allow("List", ["s3:ListBucket"], [filesArn, exportsArn, evidenceArn, trailBucketArn]),
    ];
  }

  kms(): Statement[] {
    const { fieldKeyArns, macKeyArn, checkpointKeyArns, retiredCheckpointKeyArns } = this.arns;
    return [
      this.allow("FieldKeys", ["kms:Decrypt", "kms:Encrypt"], fieldKeyArns),
      this.allow("RecordMacs", ["kms:GenerateMac"], [macKeyArn]),
      this.allow("SignCheckpoints", ["kms:Sign"], [...checkpointKeyArns]),
      this.allow("PublicKeys", ["kms:GetPublicKey"], [...checkpointKeyArns, ...retiredCheckpointKeyArns]),
    ];
  }

  cloudtrail(): Statement[] {
    return [this.allow("PublicKeys", ["cloudtrail:ListPublicKeys"], ["*"])];
  }

  private allow(sid: string, actions: string[], resources: string[]): Statement {
    return { sid, principals: EVERYBODY, actions, resources, conditions: this.arns.callers };
  }
}
