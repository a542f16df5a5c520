/** The one table of what can be deployed. To add a type, write its function beside its service and it is here. */
import type { CreateByType } from "./context";
import { DYNAMODB } from "./dynamodb";
import { IAM } from "./iam";
import { KMS } from "./kms";
import { LAMBDA } from "./lambda";
import { LOGS } from "./logs";
import { MESSAGING } from "./messaging";
import { PLAN_ONLY } from "./plan-only";
import { SCHEDULER } from "./scheduler";
import { STORAGE } from "./storage";
import { TERRAFORM } from "./terraform";

export { DATA_SOURCES } from "./data-sources";

export const RESOURCES: CreateByType = {
  ...PLAN_ONLY,
  ...KMS,
  ...IAM,
  ...DYNAMODB,
  ...LAMBDA,
  ...MESSAGING,
  ...LOGS,
  ...STORAGE,
  ...SCHEDULER,
  ...TERRAFORM,
};
