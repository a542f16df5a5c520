/**
 * The auditor's kit beside the evidence: the verifier and how to use it, as one zip file. The archive is made and read at
 * plan, so its bytes are part of the plan and an apply on another machine needs no file.
 */

import { DataArchiveFile } from "@cdktf/provider-archive/lib/data-archive-file";
import { ArchiveProvider } from "@cdktf/provider-archive/lib/provider";
import { S3Object } from "@cdktf/provider-aws/lib/s3-object";
import { DataLocalFile } from "@cdktf/provider-local/lib/data-local-file";
import { LocalProvider } from "@cdktf/provider-local/lib/provider";
import { AssetType, Fn, type ITerraformDependable, TerraformAsset, TerraformOutput, TerraformResource } from "cdktf";
import type { Construct } from "constructs";
import type { ObjectLock } from "../config/types";

/** Prefix of the evidence bucket under which the kit lies; the log has its own. */
export const AUDITOR_KIT_PREFIX = "kit/";

/** What `tools/build-auditor-kit.ts` makes. */
export interface AuditorKit {
  readonly directory: string;
  /** Of the names and bytes in `directory`, in hex. */
  readonly sha256: string;
}

export interface AuditorKitProps {
  readonly bucket: string;
  readonly kmsKeyArn: string;
  readonly kit: AuditorKit;
  /** The bucket's default retention. */
  readonly lock: ObjectLock;
  /** A destroy removes locked versions too, as far as their lock's mode allows. */
  readonly forceDestroy: boolean;
  /** Encryption, versioning and lock of the bucket: an object that is put before them does not get them. */
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
    // Otherwise the bytes depend on the umask of the user who checked out the repository.
    outputFileMode: "0644",
  });
  // A data source, because Terraform calls the function `filebase64` once more at apply, when the file may not exist.
  const bytes = new DataLocalFile(scope, "auditor-kit-bytes", { filename: archive.outputPath });
  const retainUntil = addRetention(scope, props, archive);
  const kit = new S3Object(scope, "auditor-kit", {
    bucket: props.bucket,
    key: `${AUDITOR_KIT_PREFIX}payment-ledger-auditor-kit.zip`,
    contentBase64: bytes.contentBase64,
    contentType: "application/zip",
    serverSideEncryption: "aws:kms",
    kmsKeyId: props.kmsKeyArn,
    checksumAlgorithm: "SHA256",
    objectLockMode: props.lock.mode,
    objectLockRetainUntilDate: retainUntil,
    forceDestroy: props.forceDestroy,
    dependsOn: props.dependsOn,
  });
  new TerraformOutput(scope, "AuditorKitSha256", {
    description: "SHA-256 of the auditor's kit in the evidence bucket, in hex",
    value: archive.outputSha256,
  });
  return kit;
}

/**
 * The end of the lock of the version that is put, in RFC 3339. The bucket would set the same end by itself, but the provider
 * reads it back: an object that does not name it has its lock taken off by the next apply, which S3 refuses. The end is set
 * when a kit is put, and stays until another one is.
 */
function addRetention(scope: Construct, { lock, kmsKeyArn, dependsOn }: AuditorKitProps, archive: DataArchiveFile) {
  const retention = new KeptTime(scope, "auditor-kit-retention", {
    time: Fn.timeadd(Fn.timestamp(), `${lock.days * 24}h`),
    changesWith: { sha256: archive.outputSha256, kmsKeyArn },
    // Just before the object: a retry long after a failed apply must not find an end that has passed.
    dependsOn,
  });
  return retention.time;
}

interface KeptTimeProps {
  /** Evaluated when the resource is made. */
  readonly time: string;
  /** Another time is taken when one of these changes. */
  readonly changesWith: Readonly<Record<string, string>>;
  readonly dependsOn: ITerraformDependable[];
}

/** `terraform_data` without CDKTF's own class, which cannot be synthesized where the Terraform CLI is not installed. */
class KeptTime extends TerraformResource {
  constructor(
    scope: Construct,
    id: string,
    private readonly props: KeptTimeProps,
  ) {
    super(scope, id, {
      terraformResourceType: "terraform_data",
      terraformGeneratorMetadata: { providerName: "terraform" },
      lifecycle: { ignoreChanges: ["input"] },
      dependsOn: props.dependsOn,
    });
  }

  get time(): string {
    return this.getStringAttribute("output");
  }

  protected override synthesizeAttributes() {
    return { input: this.props.time, triggers_replace: this.props.changesWith };
  }

  protected override synthesizeHclAttributes() {
    return {
      input: { value: this.props.time, isBlock: false, type: "simple", storageClassType: "string" },
      triggers_replace: {
        value: this.props.changesWith,
        isBlock: false,
        type: "map",
        storageClassType: "stringMap",
      },
    };
  }
}
