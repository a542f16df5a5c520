/** Terraform's own resource, which makes nothing in AWS: it keeps a value until its triggers change. */
import { randomUUID } from "node:crypto";
import type { CreateByType } from "./context";

export const TERRAFORM: CreateByType = {
  terraform_data: async (args) => {
    args.withoutEffect("triggers_replace");
    return { id: randomUUID(), output: args.text("input") };
  },
};
