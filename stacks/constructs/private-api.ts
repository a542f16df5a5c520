/**
 * The private API: a REST API of API Gateway that only the VPC's endpoint reaches, each function at `POST /<its name>`. Every
 * method asks IAM who calls. No body is logged, cached or changed on the way.
 */

import { ApiGatewayDeployment } from "@cdktf/provider-aws/lib/api-gateway-deployment";
import { ApiGatewayIntegration } from "@cdktf/provider-aws/lib/api-gateway-integration";
import { ApiGatewayMethod } from "@cdktf/provider-aws/lib/api-gateway-method";
import { ApiGatewayMethodSettings } from "@cdktf/provider-aws/lib/api-gateway-method-settings";
import { ApiGatewayResource } from "@cdktf/provider-aws/lib/api-gateway-resource";
import { ApiGatewayRestApi } from "@cdktf/provider-aws/lib/api-gateway-rest-api";
import { ApiGatewayRestApiPolicy } from "@cdktf/provider-aws/lib/api-gateway-rest-api-policy";
import { ApiGatewayStage } from "@cdktf/provider-aws/lib/api-gateway-stage";
import { LambdaPermission } from "@cdktf/provider-aws/lib/lambda-permission";
import { VpcEndpointPolicy } from "@cdktf/provider-aws/lib/vpc-endpoint-policy";
import { Fn } from "cdktf";
import type { Construct } from "constructs";
import type { LedgerFunction } from "./function";
import { addLogGroup, type LogGroupProps } from "./log-group";
import { EVERYBODY, equals, notEquals, policy } from "./policy";

/** API Gateway waits no longer for a function. The function goes on, and the same request again is answered as a duplicate. */
const INTEGRATION_TIMEOUT_MS = 29_000;

/** What API Gateway itself knows of a request: no path, query, header or body, which callers write. */
const ACCESS_LOG = {
  requestId: "$context.requestId",
  requestTime: "$context.requestTime",
  caller: "$context.identity.caller",
  userArn: "$context.identity.userArn",
  sourceIp: "$context.identity.sourceIp",
  vpcEndpoint: "$context.identity.vpceId",
  httpMethod: "$context.httpMethod",
  resourcePath: "$context.resourcePath",
  status: "$context.status",
  error: "$context.error.responseType",
  // The request id in the function's audit records.
  functionRequestId: "$context.integration.requestId",
  latencyMs: "$context.responseLatency",
};

export interface PrivateApiProps {
  readonly name: string;
  readonly stageName: string;
  readonly endpointId: string;
  readonly accountId: string;
  readonly accountRootArn: string;
  /** By path. */
  readonly functions: Readonly<Record<string, LedgerFunction>>;
  readonly requestsPerSecond: number;
  readonly burst: number;
  readonly accessLog: LogGroupProps;
}

export interface PrivateApi {
  /** Known only when the API is complete: what refers to it does not see how it was made. */
  readonly finishedApiId: string;
  readonly apiId: string;
  readonly executionArn: string;
}

export function addPrivateApi(scope: Construct, props: PrivateApiProps): PrivateApi {
  const api = new ApiGatewayRestApi(scope, "private-api", {
    name: props.name,
    description: "Records and reads payments; reached through one VPC endpoint only",
    endpointConfiguration: { types: ["PRIVATE"], vpcEndpointIds: [props.endpointId] },
    lifecycle: { createBeforeDestroy: true },
    tags: { Name: props.name },
  });
  const access = addAccess(scope, api, props);
  const routes = Object.entries(props.functions).map(([path, target]) => addRoute(scope, api, path, target, props));
  const deployment = new ApiGatewayDeployment(scope, "private-api-deployment", {
    restApiId: api.id,
    // A deployment is a copy: it is made anew when anything of the API changes.
    triggers: { redeployment: Fn.sha1(Fn.jsonencode([access.policy, ...routes.flatMap(({ settings }) => settings)])) },
    lifecycle: { createBeforeDestroy: true },
    dependsOn: [access, ...routes.map(({ integration }) => integration)],
  });
  const settings = addStage(scope, api, deployment, props);
  return { finishedApiId: settings.restApiId, apiId: api.id, executionArn: api.executionArn };
}

/** Through the endpoint this API alone, by principals of this account alone, whose own policies must allow it too. */
function addAccess(scope: Construct, api: ApiGatewayRestApi, props: PrivateApiProps): ApiGatewayRestApiPolicy {
  const { endpointId, accountId, accountRootArn, stageName } = props;
  const invoke = { actions: ["execute-api:Invoke"], resources: [`${api.executionArn}/${stageName}/POST/*`] };
  new VpcEndpointPolicy(scope, "private-api-endpoint-policy", {
    vpcEndpointId: endpointId,
    policy: policy(scope, "private-api-endpoint-policy-document", [
      // As a principal of an endpoint's policy, the account would be its root user alone.
      { sid: "ThisApi", principals: EVERYBODY, ...invoke, conditions: [equals("aws:PrincipalAccount", accountId)] },
    ]),
  });
  return new ApiGatewayRestApiPolicy(scope, "private-api-policy", {
    restApiId: api.id,
    policy: policy(scope, "private-api-policy-document", [
      {
        sid: "ThroughTheEndpoint",
        principals: [{ type: "AWS", identifiers: [accountRootArn] }],
        ...invoke,
        conditions: [equals("aws:SourceVpce", endpointId)],
      },
      {
        sid: "DenyEveryOtherWay",
        effect: "Deny",
        principals: EVERYBODY,
        actions: invoke.actions,
        resources: [`${api.executionArn}/*`],
        conditions: [notEquals("aws:SourceVpce", endpointId)],
      },
    ]),
  });
}

function addRoute(
  scope: Construct,
  api: ApiGatewayRestApi,
  path: string,
  { entry, resource }: LedgerFunction,
  { stageName }: PrivateApiProps,
) {
  const place = new ApiGatewayResource(scope, `api-${entry}`, {
    restApiId: api.id,
    parentId: api.rootResourceId,
    pathPart: path,
  });
  const method = new ApiGatewayMethod(scope, `api-${entry}-post`, {
    restApiId: api.id,
    resourceId: place.id,
    httpMethod: "POST",
    authorization: "AWS_IAM",
  });
  const integration = new ApiGatewayIntegration(scope, `api-${entry}-integration`, {
    restApiId: api.id,
    resourceId: place.id,
    httpMethod: method.httpMethod,
    integrationHttpMethod: "POST",
    type: "AWS_PROXY",
    uri: resource.invokeArn,
    timeoutMilliseconds: INTEGRATION_TIMEOUT_MS,
  });
  // The stage is named, so a test call from the console, which passes by authorisation and policy, reaches no function.
  new LambdaPermission(scope, `api-${entry}-permission`, {
    statementId: "PrivateApi",
    action: "lambda:InvokeFunction",
    functionName: resource.arn,
    principal: "apigateway.amazonaws.com",
    sourceArn: `${api.executionArn}/${stageName}/POST/${path}`,
  });
  return { integration, settings: [place.id, method.id, method.authorization, integration.id, integration.uri] };
}

function addStage(
  scope: Construct,
  api: ApiGatewayRestApi,
  deployment: ApiGatewayDeployment,
  props: PrivateApiProps,
): ApiGatewayMethodSettings {
  const log = addLogGroup(scope, "private-api-log", props.accessLog);
  const stage = new ApiGatewayStage(scope, "private-api-stage", {
    restApiId: api.id,
    deploymentId: deployment.id,
    stageName: props.stageName,
    cacheClusterEnabled: false,
    // As the functions: a call is traced when its caller asks for it.
    xrayTracingEnabled: false,
    accessLogSettings: { destinationArn: log.arn, format: JSON.stringify(ACCESS_LOG) },
    tags: { Name: props.name },
  });
  return new ApiGatewayMethodSettings(scope, "private-api-settings", {
    restApiId: api.id,
    stageName: stage.stageName,
    methodPath: "*/*",
    settings: {
      throttlingRateLimit: props.requestsPerSecond,
      throttlingBurstLimit: props.burst,
      metricsEnabled: true,
      cachingEnabled: false,
      // Execution logs would hold requests.
      loggingLevel: "OFF",
      dataTraceEnabled: false,
    },
  });
}
