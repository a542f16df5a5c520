/** The event of an API Gateway proxy integration (payload version 1.0), whole, as a private REST API with IAM authorisation sends it. */

/** @param body JSON, or the text itself. @param caller null for a method without IAM authorisation. */
export function apiEvent(body: unknown, caller: string | null = "AROAEXAMPLE:checkout", more: object = {}) {
  const [id = "", session = ""] = (caller ?? "").split(":");
  const path = "/persist_payment_ledger";
  const host = "abcde12345-vpce-0a1b2c3d.execute-api.us-east-1.amazonaws.com";
  return {
    resource: path,
    path,
    httpMethod: "POST",
    headers: { "content-type": "application/json", Host: host, "x-amzn-vpce-id": "vpce-0a1b2c3d" },
    multiValueHeaders: { "content-type": ["application/json"], Host: [host], "x-amzn-vpce-id": ["vpce-0a1b2c3d"] },
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    pathParameters: null,
    stageVariables: null,
    requestContext: {
      resourceId: "a1b2c3",
      resourcePath: path,
      httpMethod: "POST",
      extendedRequestId: "Abc123EXAMPLE=",
      requestTime: "28/Nov/2026:12:00:00 +0000",
      path: `/v1${path}`,
      accountId: "111122223333",
      protocol: "HTTP/1.1",
      stage: "v1",
      domainPrefix: "abcde12345-vpce-0a1b2c3d",
      requestTimeEpoch: 1795867200000,
      requestId: "5f2f3f4e-0000-4000-8000-000000000000",
      identity: {
        cognitoIdentityPoolId: null,
        cognitoIdentityId: null,
        cognitoAuthenticationType: null,
        cognitoAuthenticationProvider: null,
        vpcId: "vpc-0a1b2c3d",
        vpceId: "vpce-0a1b2c3d",
        principalOrgId: null,
        apiKey: null,
        sourceIp: "10.0.1.17",
        accountId: caller === null ? null : "111122223333",
        caller,
        user: caller,
        userArn: caller === null ? null : `arn:aws:sts::111122223333:assumed-role/${id.toLowerCase()}/${session}`,
        accessKey: caller === null ? null : "ASIAEXAMPLE",
        userAgent: "aws-sdk",
      },
      domainName: host,
      deploymentId: "d1e2f3",
      apiId: "abcde12345",
    },
    body: typeof body === "string" || body === null ? body : JSON.stringify(body),
    isBase64Encoded: false,
    ...more,
  };
}
