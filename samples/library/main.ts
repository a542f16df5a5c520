/**
 * Another CDKTF app that uses this project's constructs: a service that decides about refunds keeps its decisions in an
 * append-only table, publishes a log of them into a write-once bucket, and runs as a function.
 * `node --import tsx samples/library/main.ts ZIP SHA256` synthesizes it, with the function's zip file and its hash in hex.
 */

import { DataAwsCallerIdentity } from "@cdktf/provider-aws/lib/data-aws-caller-identity";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import type { KmsKey } from "@cdktf/provider-aws/lib/kms-key";
import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { App, TerraformStack, TerraformVariable } from "cdktf";
import type { Construct } from "constructs";
import { addEvidenceBucket } from "../../stacks/constructs/evidence-bucket";
import { addFunction } from "../../stacks/constructs/function";
import type { HandlerBundle } from "../../stacks/constructs/handler-code";
import { addKey } from "../../stacks/constructs/key";
import { addLedgerTable } from "../../stacks/constructs/ledger-table";
import { policy, service } from "../../stacks/constructs/policy";

/** @param code the zip file of the function and its SHA-256. */
export class RefundsStack extends TerraformStack {
  constructor(scope: Construct, id: string, code: HandlerBundle) {
    super(scope, id);
    new AwsProvider(this, "aws", { region: "eu-central-1" });
    const { accountId } = new DataAwsCallerIdentity(this, "current");
    const role = this.addRole();
    const key = this.addKey(accountId, role.arn);
    const table = addLedgerTable(this, "refund-decisions", {
      name: "RefundDecisions",
      partitionKey: "DecisionID",
      indexes: [{ name: "by-order", partitionKey: "OrderID", sortKey: "DecidedAt" }],
      streamed: true,
      kmsKeyArn: key.arn,
      pitrRecoveryDays: 35,
      deletionProtection: true,
      writerRoleArns: [role.arn],
      updaterRoleArns: [],
      unreadingRoleArns: [],
    });
    const evidence = addEvidenceBucket(this, "refund-evidence", {
      name: `refund-evidence-${accountId}`,
      label: "refund-evidence",
      kmsKeyArn: key.arn,
      lock: { mode: "COMPLIANCE", days: 400 },
      emptyOnDestroy: false,
      publisherArn: role.arn,
      witnessArns: [],
      readerArns: [],
    });
    const access = new IamRolePolicy(this, "decide-access", {
      role: role.name,
      policy: policy(this, "decide-access-document", [
        { sid: "Decide", actions: ["dynamodb:PutItem"], resources: [table.arn] },
        { sid: "Publish", actions: ["s3:PutObject"], resources: [`${evidence.resource.arn}/*`] },
      ]),
    });
    addFunction(this, "decide-refund", {
      name: "decide_refund",
      roleArn: role.arn,
      access,
      bundle: code,
      memoryMb: 512,
      timeoutSeconds: 30,
      environment: { DECISIONS_TABLE: table.name, EVIDENCE_BUCKET: evidence.resource.id },
      environmentKeyArn: key.arn,
      subnetIds: [new TerraformVariable(this, "subnet-id", { type: "string" }).stringValue],
      securityGroupId: new TerraformVariable(this, "security-group-id", { type: "string" }).stringValue,
      reservedConcurrency: undefined,
      failureQueueArn: null,
      logGroup: { name: "/aws/lambda/decide_refund", kmsKeyArn: key.arn, retentionDays: 400 },
    });
  }

  private addKey(accountId: string, roleArn: string): KmsKey {
    return addKey(this, "refunds-key", {
      accountRootArn: `arn:aws:iam::${accountId}:root`,
      alias: "alias/refunds",
      description: "Refund decisions",
      deletionWindowDays: 30,
      usage: "encrypt",
      use: [
        {
          sid: "Function",
          principals: [{ type: "AWS", identifiers: [roleArn] }],
          actions: ["kms:Decrypt", "kms:GenerateDataKey"],
          resources: ["*"],
        },
      ],
    });
  }

  private addRole(): IamRole {
    const trust = policy(this, "decide-trust", [
      { sid: "Lambda", principals: service("lambda.amazonaws.com"), actions: ["sts:AssumeRole"], resources: [] },
    ]);
    return new IamRole(this, "decide-role", { name: "decide-refund-role", assumeRolePolicy: trust });
  }
}

export function refundsApp(code: HandlerBundle, outdir?: string): App {
  const app = new App(outdir === undefined ? {} : { outdir });
  new RefundsStack(app, "refunds", code);
  return app;
}

if (require.main === module) {
  const [zip, sha256] = process.argv.slice(2);
  if (zip === undefined || sha256 === undefined)
    throw new Error("Give the function's zip file and its SHA-256 in hex.");
  refundsApp({ zip, sha256 }).synth();
}
