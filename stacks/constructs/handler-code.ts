/**
 * A function's code inside its stack's folder. The folder of the bundle is copied at synth, and the zip is made by
 * `archive_file` at apply: a saved plan then applies on another machine, and a remote run finds all that it needs.
 */

import { DataArchiveFile } from "@cdktf/provider-archive/lib/data-archive-file";
import { AssetType, TerraformAsset, TerraformResource } from "cdktf";
import type { Construct } from "constructs";

/** What `scripts/build-handlers.ts` makes of one entry file. */
export interface HandlerBundle {
  readonly directory: string;
  /** Of the paths and bytes in `directory`, in hex. */
  readonly sha256: string;
}

/** Gives the bundle of `handlers/<entry>.ts`. */
export type HandlerCode = (entry: string) => HandlerBundle;

export function addHandlerCode(scope: Construct, id: string, bundle: HandlerBundle): DataArchiveFile {
  const asset = new TerraformAsset(scope, `${id}-code`, {
    path: bundle.directory,
    type: AssetType.DIRECTORY,
    // CDKTF's own hash leaves out file names.
    assetHash: bundle.sha256,
  });
  // Changes with the code, and so defers the zip to the apply that needs it. Read at plan time, it would be missing
  // where another machine applies the saved plan.
  const trigger = new Trigger(scope, `${id}-bundle`, { sha256: bundle.sha256 });
  return new DataArchiveFile(scope, `${id}-zip`, {
    type: "zip",
    sourceDir: `\${path.module}/${asset.path.replace(/\/$/, "")}`,
    outputPath: `\${path.module}/${id}.zip`,
    // Else the zip's bytes depend on the umask of whoever checked out.
    outputFileMode: "0644",
    dependsOn: [trigger],
  });
}

/** `terraform_data` without CDKTF's own class, which cannot be synthesized where the Terraform CLI is not installed. */
class Trigger extends TerraformResource {
  constructor(
    scope: Construct,
    id: string,
    private readonly values: Readonly<Record<string, string>>,
  ) {
    super(scope, id, {
      terraformResourceType: "terraform_data",
      terraformGeneratorMetadata: { providerName: "terraform" },
    });
  }

  protected override synthesizeAttributes() {
    return { triggers_replace: this.values };
  }

  protected override synthesizeHclAttributes() {
    return {
      triggers_replace: { value: this.values, isBlock: false, type: "map", storageClassType: "stringMap" },
    };
  }
}
