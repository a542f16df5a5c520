/** The private API of the ledger: which functions it has, its limits, its log, and the URL that the deployment prints. */

import { TerraformOutput } from "cdktf";
import type { Construct } from "constructs";
import { API_FUNCTIONS, API_STAGE, FUNCTIONS, type FunctionId } from "../contract";
import type { Names } from "./config/names";
import type { AppConfig } from "./config/types";
import type { LedgerFunction } from "./constructs/function";
import { addPrivateApi, type PrivateApi } from "./constructs/private-api";

export interface LedgerApiProps {
  readonly config: AppConfig;
  readonly names: Names;
  readonly endpointId: string;
  readonly accountId: string;
  readonly accountRootArn: string;
  readonly functions: Readonly<Record<FunctionId, LedgerFunction>>;
  readonly logsKeyArn: string;
}

export function addLedgerApi(scope: Construct, props: LedgerApiProps): PrivateApi {
  const { config, names, endpointId, functions } = props;
  const api = addPrivateApi(scope, {
    name: names.privateApi,
    stageName: API_STAGE,
    endpointId,
    accountId: props.accountId,
    accountRootArn: props.accountRootArn,
    functions: Object.fromEntries(API_FUNCTIONS.map((id) => [FUNCTIONS[id].name, functions[id]])),
    requestsPerSecond: config.privateApi.requestsPerSecond,
    burst: config.privateApi.burst,
    accessLog: {
      name: names.privateApiLogGroup,
      kmsKeyArn: props.logsKeyArn,
      retentionDays: config.logRetentionDays,
    },
  });
  new TerraformOutput(scope, "PrivateApiUrl", {
    description: "Before the name of a function; reached through the VPC endpoint only",
    value: `https://${api.apiId}-${endpointId}.execute-api.${config.region}.amazonaws.com/${API_STAGE}`,
  });
  return api;
}
