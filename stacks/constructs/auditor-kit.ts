/**
 * The auditor's kit beside the evidence: the verifier and how to use it, as one zip file. The archive is made and read at
 * plan, so its bytes are part of the plan and an apply on another machine needs no file.
 */

import { DataArchiveFile } from "@cdktf/provider-archive/lib/data-archive-file";
import { ArchiveProvider } from "@cdktf/provider-archive/lib/provider";
import { S3Object } from "@cdktf/provider-aws/lib/s3-object";
import { DataLocalFile } from "@cdktf/provider-local/lib/data-local-file";
import { LocalProvider } from "@cdktf/provider-local/lib/provider";
import { AssetType, type ITerraformDependable, TerraformAsset, TerraformOutput } from "cdktf";
import type { Construct } from "constructs";

/** Prefix of the evidence bucket under which the kit lies; the log has its own. */
export const AUDITOR_KIT_PREFIX = "kit/";

/** What `scripts/build-auditor-kit.ts` makes. */
export interface AuditorKit {
  readonly directory: string;
  /** Of the names and bytes in `directory`, in hex. */
  readonly sha256: string;
}

export interface AuditorKitProps {
  readonly bucket: string;
  readonly kmsKeyArn: string;
  readonly kit: AuditorKit;
  /** A destroy removes locked versions too, as far as their lock's mode allows. */
  readonly forceDestroy: boolean;
  /** Encryption, versions and lock of the bucket: an object that comes before them goes without them. */
  readonly dependsOn: ITerraformDependable[];
}

export function addAuditorKit(scope: Construct, props: AuditorKitProps): S3Object {
  new ArchiveProvider(scope, "archive");
  new LocalProvider(scope, "local");
  const files = new TerraformAsset(scope, "auditor-kit-files", {
    path: props.kit.directory,
    type: AssetType.DIRECTORY,
    // CDKTF's own hash leaves out file names.
    assetHash: props.kit.sha256,
  });
  const archive = new DataArchiveFile(scope, "auditor-kit-archive", {
    type: "zip",
    sourceDir: `\${path.module}/${files.path.replace(/\/$/, "")}`,
    outputPath: `\${path.module}/auditor-kit.zip`,
    // Else the bytes depend on the umask of whoever checked out.
    outputFileMode: "0644",
  });
  // A data source, because Terraform calls the function `filebase64` once more at apply, when the file may not exist.
  const bytes = new DataLocalFile(scope, "auditor-kit-bytes", { filename: archive.outputPath });
  const kit = new S3Object(scope, "auditor-kit", {
    bucket: props.bucket,
    key: `${AUDITOR_KIT_PREFIX}payment-ledger-auditor-kit.zip`,
    contentBase64: bytes.contentBase64,
    contentType: "application/zip",
    serverSideEncryption: "aws:kms",
    kmsKeyId: props.kmsKeyArn,
    checksumAlgorithm: "SHA256",
    forceDestroy: props.forceDestroy,
    dependsOn: props.dependsOn,
  });
  new TerraformOutput(scope, "AuditorKitSha256", {
    description: "SHA-256 of the auditor's kit in the evidence bucket, in hex",
    value: archive.outputSha256,
  });
  return kit;
}
