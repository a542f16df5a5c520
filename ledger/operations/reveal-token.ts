/** Returns one payment's clear token. It has its own function, role and key permission, and its own audit action. */

import { TABLES } from "../../contract";
import { refusedWith } from "../rules/answers";
import { revealSchema } from "../rules/queries";
import { refusal } from "../rules/refusals";
import type { RevealResponse } from "../rules/responses";
import { SCHEMA_VERSION } from "../rules/schema";
import { bytesOf } from "../rules/stored-item";
import { getItem } from "../store/read-items";
import type { Services } from "../store/services";
import type { Call } from "./call";
import { askedOf, checkRecords, recordRead } from "./read-audit";
import { refuseCall } from "./refusal-records";
import { validateRequest } from "./validation";

const { logicalName: LEDGER, partitionKey } = TABLES.paymentLedger;

export async function revealToken(event: unknown, call: Call, services: Services): Promise<RevealResponse> {
  const validated = await validateRequest(revealSchema, event, LEDGER, call, services);
  if ("refused" in validated) return validated.refused;
  const request = validated.request;
  const row = await getItem(services.dynamo, services.tables.paymentLedger, partitionKey, request.TransactionID);
  if (row === undefined) return refuseCall(event, refusal("NOT_FOUND"), LEDGER, call, services);
  const { trusted, refused } = await checkRecords(TABLES.paymentLedger, [row], request.Actor, call, services);
  const [trustedRow] = trusted;
  if (trustedRow === undefined) return refusedWith(refusal("RECORD_FORGED"), refused[0]?.AuditID);
  const SecureToken = await services.tokenFields.open(
    request.TransactionID,
    "SecureToken",
    bytesOf(trustedRow, "SecureToken") ?? new Uint8Array(),
    bytesOf(trustedRow, "FieldKey") ?? new Uint8Array(),
  );
  const AuditID = await recordRead(
    {
      action: "REVEAL",
      actor: request.Actor,
      table: LEDGER,
      asked: askedOf(request),
      askedIds: [request.TransactionID],
      returnedIds: [request.TransactionID],
      result: "revealed",
      transactionId: request.TransactionID,
    },
    call,
    services,
  );
  return {
    schemaVersion: SCHEMA_VERSION,
    outcome: "revealed",
    TransactionID: request.TransactionID,
    SecureToken,
    AuditID,
  };
}
