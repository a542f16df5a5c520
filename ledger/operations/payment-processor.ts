/**
 * The payment processor: takes S3 events of the payment bucket and direct `payment_data`. Answers 400 for anything else,
 * and throws technical faults, so that Lambda tries an event again and keeps it when it cannot be handled.
 */

import * as z from "zod";
import { FILE_PREFIXES, TABLES } from "../../contract";
import type { FileVersion } from "../files/payment-files";
import { FileProgress, isContinuationKey } from "../files/progress";
import { persistResponse, refusedWith } from "../rules/answers";
import { ENTRIES_MAX } from "../rules/entries";
import { derivedAuditId, UNCLAIMED_ACTOR } from "../rules/identifiers";
import { refusal } from "../rules/refusals";
import type { EntryResult, RefusedResponse } from "../rules/responses";
import { SentTokens } from "../rules/sent-tokens";
import type { Services } from "../store/services";
import { type Call, noteResults } from "./call";
import { isHarmless, keptPrincipal } from "./claims";
import { namesOfFile } from "./file-records";
import { ledgerEntry } from "./ledger-entry";
import { type FileSettings, processFile } from "./process-file";
import { recordEntries } from "./record-entries";
import { recordPayments } from "./record-payments";
import { recordRefused, refuseCall } from "./refusal-records";
import { transactionsBook } from "./transactions-book";
import { refuseHarmful, validatePayments } from "./validation";

const TRANSACTIONS = TABLES.paymentTransactions.logicalName;

export interface ProcessorResponse {
  readonly statusCode: 200 | 400 | 409;
  /** JSON text. */
  readonly body: string;
}

const s3EventSchema = z.object({
  Records: z
    .array(
      z.object({
        eventSource: z.literal("aws:s3"),
        eventName: z.string().startsWith("ObjectCreated:"),
        userIdentity: z.object({ principalId: z.string() }).optional(),
        s3: z.object({
          bucket: z.object({ name: z.string() }),
          object: z.object({ key: z.string(), versionId: z.string().optional() }),
        }),
      }),
    )
    .min(1),
});
const directEventSchema = z.strictObject({ payment_data: z.unknown() });

export async function runPaymentProcessor(
  event: unknown,
  call: Call,
  services: Services,
  settings: FileSettings,
): Promise<ProcessorResponse> {
  const s3Event = s3EventSchema.safeParse(event);
  if (s3Event.success) return processFiles(s3Event.data.Records, event, call, services, settings);
  const direct = directEventSchema.safeParse(event);
  if (direct.success && typeof direct.data.payment_data === "object" && direct.data.payment_data !== null) {
    return processDirect(direct.data.payment_data, call, services);
  }
  return invalidEvent(event, call, services);
}

type S3Record = z.infer<typeof s3EventSchema>["Records"][number];

async function processFiles(
  records: readonly S3Record[],
  event: unknown,
  call: Call,
  services: Services,
  settings: FileSettings,
): Promise<ProcessorResponse> {
  const references = records.map((record) => referenceOf(record, settings.files.bucket));
  if (!references.every((reference) => reference !== undefined)) return invalidEvent(event, call, services);
  const fileCall: Call = { ...call, caller: { ...call.caller, via: "file" } };
  const files = [];
  let refused: RefusedResponse | undefined;
  for (const [position, reference] of references.entries()) {
    const { key } = reference.file;
    if (isContinuationKey(key) || isHarmless(key))
      files.push(await processReference(reference, fileCall, services, settings));
    else refused = await refuseKey(reference.file, position, fileCall, services);
  }
  if (refused === undefined)
    return { statusCode: 200, body: JSON.stringify({ message: "Payment files processed", files }) };
  return { statusCode: 400, body: JSON.stringify({ error: "Card data in the name of a file", ...refused }) };
}

interface Reference {
  readonly file: FileVersion;
  readonly principal: string | undefined;
}

/** Undefined for another bucket or prefix, or a version that S3 did not name: such an event is not for this function. */
function referenceOf({ s3, userIdentity }: S3Record, bucket: string): Reference | undefined {
  if (s3.bucket.name !== bucket) return undefined;
  const key = decodedKey(s3.object.key);
  const ours = [FILE_PREFIXES.payments, FILE_PREFIXES.continuations].some((prefix) => key?.startsWith(prefix));
  if (key === undefined || !ours) return undefined;
  const { versionId } = s3.object;
  if (versionId !== undefined && !isHarmless(versionId)) return undefined;
  const principal = userIdentity === undefined ? undefined : keptPrincipal(userIdentity.principalId);
  return { file: versionId === undefined ? { key } : { key, versionId }, principal };
}

/** S3 encodes keys in events as in a URL's query: spaces as plus signs, the rest in percent form. */
function decodedKey(key: string): string | undefined {
  try {
    return decodeURIComponent(key.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

/**
 * A key that holds a card number would be in every report and record about its file, so the file is not opened. It is not
 * removed either: that a name looks like a card number proves nothing about what is in the file.
 */
async function refuseKey(
  file: FileVersion,
  position: number,
  call: Call,
  services: Services,
): Promise<RefusedResponse> {
  services.signal("CardDataRefused");
  const reason = refusal("CARD_DATA");
  const entry = ledgerEntry(
    {
      auditId: derivedAuditId("REFUSAL", call.operation, call.caller.requestId, String(position)),
      action: "REFUSAL",
      actor: UNCLAIMED_ACTOR,
      table: TRANSACTIONS,
      asked: { recordIds: [], details: namesOfFile(file) },
      answered: { recordIds: [], result: reason.code },
    },
    call,
  );
  await recordEntries([entry], services);
  return refusedWith(reason, entry.auditId);
}

async function processReference(
  { file, principal }: Reference,
  call: Call,
  services: Services,
  settings: FileSettings,
) {
  const continued = file.key.startsWith(FILE_PREFIXES.continuations);
  const progress = continued
    ? await FileProgress.resume(settings.files, file.key)
    : FileProgress.start(settings.files, file, call.caller.requestId, principal);
  const earlier = await progress.finishedReport();
  if (earlier !== undefined && progress.isOwn(earlier)) {
    if (earlier.removed) await settings.files.remove(progress.file);
    return { finished: true, counts: earlier.counts };
  }
  try {
    return await processFile(progress, settings, call, services);
  } catch (error) {
    // A file that was removed for its card data is done: its report was written before.
    const isGone = error instanceof Error && ["NoSuchKey", "NoSuchVersion"].includes(error.name);
    const report = isGone ? await progress.finishedReport() : undefined;
    if (report === undefined) throw error;
    return { finished: true, counts: report.counts };
  }
}

async function processDirect(paymentData: object, call: Call, services: Services): Promise<ProcessorResponse> {
  const entries: readonly unknown[] = Array.isArray(paymentData) ? paymentData : [paymentData];
  if (entries.length === 0 || entries.length > ENTRIES_MAX) {
    const reason = refusal(entries.length === 0 ? "EMPTY_LIST" : "LIST_TOO_LONG");
    return { statusCode: 400, body: JSON.stringify(await refuseCall({}, reason, TRANSACTIONS, call, services)) };
  }
  const book = transactionsBook(services);
  const { accepted, refused } = await validatePayments(
    book,
    { entries, tokens: SentTokens.in(entries) },
    call,
    services,
  );
  const recorded = await recordPayments(book, accepted, call, services);
  const results = [...(await recordRefused(refused, services)), ...recorded];
  noteResults(results, call);
  return directResponse(results, call);
}

function directResponse(results: readonly EntryResult[], call: Call): ProcessorResponse {
  const response = persistResponse(results);
  const { conflict, refused } = response.counts;
  const statusCode = refused > 0 ? 400 : conflict > 0 ? 409 : 200;
  const message =
    statusCode === 200 ? "Payment processed successfully" : "Not every payment was processed; see results";
  return { statusCode, body: JSON.stringify({ message, timestamp: call.now.toISOString(), ...response }) };
}

async function invalidEvent(event: unknown, call: Call, services: Services): Promise<ProcessorResponse> {
  const reason = refuseHarmful(event, services) ?? refusal("INVALID_EVENT");
  const response = await refuseCall(event, reason, TRANSACTIONS, call, services);
  return { statusCode: 400, body: JSON.stringify({ error: "Invalid event format", ...response }) };
}
