/** A function's code, as a zip file in its stack's folder. It is made at synth, so neither plan nor apply has to make it. */

import { AssetType, TerraformAsset } from "cdktf";
import type { Construct } from "constructs";

/** What `tools/build-handlers.ts` makes of one entry file. */
export interface HandlerBundle {
  /** Path of the zip file. */
  readonly zip: string;
  /** Of the zip file's bytes, in hex. */
  readonly sha256: string;
}

/** Returns the bundle of `handlers/<entry>.ts`. */
export type HandlerCode = (entry: string) => HandlerBundle;

/** The arguments by which `aws_lambda_function` finds its code and sees that it changed. */
export interface DeployedCode {
  readonly filename: string;
  readonly sourceCodeHash: string;
}

/** The stack contains the hash itself and does not read it from the file, so a plan needs no file. */
export function addHandlerCode(scope: Construct, id: string, { zip, sha256 }: HandlerBundle): DeployedCode {
  const asset = new TerraformAsset(scope, `${id}-code`, { path: zip, type: AssetType.FILE, assetHash: sha256 });
  return {
    filename: `\${path.module}/${asset.path}`,
    sourceCodeHash: Buffer.from(sha256, "hex").toString("base64"),
  };
}
