/** Where a stack's state rests. The stacks after it read its outputs from the same place. */

import { CloudBackend, LocalBackend, NamedCloudWorkspace, S3Backend, type TerraformStack } from "cdktf";
import { stateName } from "./config/names";
import type { AppConfig } from "./config/types";

export function addBackend(stack: TerraformStack, stackId: string, config: AppConfig): void {
  const state = stateName(config);
  const { backend } = config;
  switch (backend.kind) {
    case "local":
      // Relative to the stack's folder (cdktf.out/stacks/<stack>): CDKTF's own default would be an absolute path.
      new LocalBackend(stack, { path: `../../../.state/${state}/${stackId}.tfstate` });
      return;
    case "s3": {
      const s3 = new S3Backend(stack, {
        bucket: backend.bucket,
        key: `payment-ledger/${state}/${stackId}.tfstate`,
        region: backend.region,
        encrypt: true,
        ...(backend.kmsKeyArn === null ? {} : { kmsKeyId: backend.kmsKeyArn }),
      });
      // Terraform 1.10's native lock file, which CDKTF 0.21 does not know.
      s3.addOverride("use_lockfile", true);
      return;
    }
    case "cloud":
      // Named, not tagged: a workspace found by tags cannot be read by the stacks after it.
      new CloudBackend(stack, {
        hostname: backend.hostname,
        organization: backend.organization,
        workspaces: new NamedCloudWorkspace(`payment-ledger-${state}-${stackId}`),
      });
      return;
  }
}
