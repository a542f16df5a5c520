/** The OpenAPI document of the private API, made of the same schemas as the published ones. Nothing serves it. */

import { API_FUNCTIONS, API_STAGE, FUNCTIONS } from "../contract";
import { SCHEMA_VERSION } from "../ledger/rules/schema";

export const OPENAPI_FILE = "private-api.openapi.json";

type JsonSchema = Readonly<Record<string, unknown>>;

/** Request and answer of a function as JSON Schemas, each with the `$defs` that it refers to. */
export interface ApiSchemas {
  readonly request: JsonSchema;
  readonly response: JsonSchema;
}

const SUMMARIES: Readonly<Record<(typeof API_FUNCTIONS)[number], string>> = {
  persistPaymentLedger: "Records payments",
  updatePaymentStatus: "Changes the status of one payment",
  recordPaymentEvent: "Records what happens to payments",
  queryPaymentLedger: "Reads payments and what happened to them, tokens masked",
  revealPaymentToken: "Returns the clear token of one payment",
  persistPaymentAuditTrail: "Records what other services did with payment data",
  queryPaymentAuditTrail: "Reads the audit trail",
  queryTransactions: "Reads the payments of files, of payment_data and of messages",
};

/** What each status says. All but the last two have the answer of the function as their body. */
const ANSWERS: Readonly<Record<string, string>> = {
  "200": "Done. Of a list: every entry is stored or a duplicate.",
  "400": "Refused. Of a list: an entry is refused; its result says why, and the others are recorded.",
  "403": "The actor is not who called. API Gateway answers 403 too, to a caller whom IAM does not allow the call.",
  "404": "There is no such payment.",
  "409": "Something else is recorded under this id, or the payment is no longer in the expected state.",
  "500": "A stored record fails its integrity check. An alarm record was made.",
  "503": "Nothing of it is recorded, because others changed the payment at the same time. Send the same request again.",
};
const OF_GATEWAY: Readonly<Record<string, string>> = {
  "429": "Too many requests. Nothing was done. Send the same request again later.",
  "502": "A technical fault. What was done is recorded; nothing else is. Send the same request again.",
  "504": "The function takes longer than 29 seconds, and goes on. Send the same request again.",
};

const JSON_TYPE = "application/json";

/** @param schemasOf by function name. */
export function openApiDocument(schemasOf: (functionName: string) => ApiSchemas): string {
  const components = new Components();
  const paths = Object.fromEntries(
    API_FUNCTIONS.map((id) => {
      const { name } = FUNCTIONS[id];
      const { request, response } = schemasOf(name);
      const answer = components.add(`${name}-answer`, response);
      const answered = (description: string) => ({ description, content: { [JSON_TYPE]: { schema: answer } } });
      const post = {
        operationId: name,
        summary: SUMMARIES[id],
        requestBody: {
          required: true,
          content: { [JSON_TYPE]: { schema: components.add(`${name}-request`, request) } },
        },
        responses: {
          ...mapValues(ANSWERS, answered),
          ...mapValues(OF_GATEWAY, (description) => ({ description })),
        },
      };
      return [`/${name}`, { post }];
    }),
  );
  const document = {
    openapi: "3.1.0",
    info: {
      title: "Payment Ledger, private API",
      version: String(SCHEMA_VERSION),
      license: { name: "MIT", identifier: "MIT" },
      description:
        "Reached through one VPC endpoint only. Each request is signed by its caller (AWS Signature Version 4, service execute-api). Path, query and headers are not read.",
    },
    servers: [
      {
        url: `https://{apiId}-{endpointId}.execute-api.{region}.amazonaws.com/${API_STAGE}`,
        description: "The output PrivateApiUrl of the functions stack",
        variables: {
          apiId: { default: "api" },
          endpointId: { default: "vpce-0" },
          region: { default: "us-east-1" },
        },
      },
    ],
    security: [{ sigv4: [] }],
    paths,
    components: {
      schemas: components.schemas,
      securitySchemes: {
        sigv4: {
          type: "apiKey",
          name: "Authorization",
          in: "header",
          description: "AWS Signature Version 4 of a principal whose policy allows execute-api:Invoke on the path",
          "x-amazon-apigateway-authtype": "awsSigv4",
        },
      },
    },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Schemas by name. What two functions define alike is there once. */
class Components {
  readonly schemas: Record<string, JsonSchema> = {};

  /** @returns a reference to it. */
  add(name: string, { $schema, $id, $defs = {}, ...schema }: JsonSchema): { readonly $ref: string } {
    const definitions = $defs as Readonly<Record<string, JsonSchema>>;
    const names = new Map(Object.entries(definitions).map(([id, found]) => [id, this.nameFor(id, name, found)]));
    for (const [id, found] of Object.entries(definitions)) {
      this.schemas[names.get(id) ?? id] = withReferences(found, names);
    }
    this.schemas[name] = withReferences(schema, names);
    return { $ref: refTo(name) };
  }

  /** Its own id; where another function has another definition under that, a separate one. */
  private nameFor(id: string, owner: string, definition: JsonSchema): string {
    const known = this.schemas[id];
    const isTheSame = known === undefined || JSON.stringify(known) === JSON.stringify(withReferences(definition));
    return isTheSame ? id : `${owner}-${id}`;
  }
}

function refTo(name: string): string {
  return `#/components/schemas/${name}`;
}

function withReferences(schema: JsonSchema, names: ReadonlyMap<string, string> = new Map()): JsonSchema {
  const text = JSON.stringify(schema, (key, value: unknown) => {
    if (key !== "$ref" || typeof value !== "string") return value;
    const id = value.replace("#/$defs/", "");
    return refTo(names.get(id) ?? id);
  });
  return JSON.parse(text) as JsonSchema;
}

function mapValues<T>(source: Readonly<Record<string, string>>, change: (text: string) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(source).map(([key, value]) => [key, change(value)]));
}
