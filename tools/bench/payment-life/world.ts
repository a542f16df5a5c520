/** The AWS of the callers, on loopback: it answers late, throttles, lets transactions collide, loses answers and kills who asks. */

import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { TABLES } from "../../../contract";
import { CallerProcess } from "./caller-process";
import { DynamoRefusal, MemoryDynamo } from "./memory-dynamo";
import type { PlannedEvent } from "./plan";

/** Of a hundred calls. */
const RATES = { killed: 0.4, throttled: 2, collided: 2, lost: 1.5 } as const;
const DELAY_MAX_MS = 3;
/** The SDK tries a call five times. */
const ATTEMPTS_OF_A_CALL = 5;

type CallOutcome = "killed-before" | "killed-after" | "throttled" | "collided" | "lost" | "answered";

export class LifeWorld {
  readonly dynamo = new MemoryDynamo();
  readonly counts = { killed: 0, throttled: 0, collided: 0, lost: 0 };
  private readonly callers = new Map<string, CallerProcess>();
  /** How many more answers of a call are lost, by the SDK's id of the call. */
  private readonly losing = new Map<string, number>();
  private readonly server = http.createServer((request, response) => void this.serve(request, response));
  private started = 0;
  private isCalm = true;

  constructor(private readonly random: () => number) {
    // No process outlives this one.
    process.once("exit", () => this.end());
  }

  async listen(): Promise<void> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
  }

  /** @param bundle folder of the function that the caller holds. */
  caller(bundle: string): CallerProcess {
    this.started += 1;
    const name = `caller-${this.started}`;
    const { port } = this.server.address() as AddressInfo;
    const caller = new CallerProcess(bundle, `http://127.0.0.1:${port}/${name}`);
    this.callers.set(name, caller);
    return caller;
  }

  /** From now on calls fail. */
  beginFaults(): void {
    this.isCalm = false;
  }

  end(): void {
    for (const caller of this.callers.values()) caller.kill();
    this.callers.clear();
    this.server.close();
    this.server.closeAllConnections();
  }

  isWritten({ TransactionID, EventID }: PlannedEvent): boolean {
    const events = this.dynamo.tables.get(TABLES.paymentEvents.logicalName)?.get(TransactionID);
    return [...(events?.values() ?? [])].some((item) => item["EventID"]?.S === EventID);
  }

  private async serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // The caller was killed while it asked.
    }
    const [, name = ""] = String(request.url).split("/");
    const [service = "", action = ""] = String(request.headers["x-amz-target"]).split(".");
    const callId = String(request.headers["amz-sdk-invocation-id"]);
    const fate = this.fateOf(action, callId);
    if (!this.isCalm) await sleep(Math.floor(this.random() * DELAY_MAX_MS));
    if (fate === "killed-before") return this.kill(name);
    const { status, body } = this.answer(service, action, Buffer.concat(chunks).toString(), fate);
    if (fate === "killed-after") return this.kill(name);
    if (fate === "lost") return void response.destroy();
    response.writeHead(status, { "content-type": "application/x-amz-json-1.0" }).end(body);
  }

  private fateOf(action: string, callId: string): CallOutcome {
    if (this.isCalm) return "answered";
    const left = this.losing.get(callId) ?? 0;
    if (left > 0) {
      this.losing.set(callId, left - 1);
      return "lost";
    }
    let drawn = this.random() * 100;
    const falls = (rate: number) => {
      drawn -= rate;
      return drawn < 0;
    };
    if (falls(RATES.killed / 2)) return this.counted("killed", "killed-before");
    if (falls(RATES.killed / 2)) return this.counted("killed", "killed-after");
    if (falls(RATES.throttled)) return this.counted("throttled", "throttled");
    if (falls(RATES.collided))
      return action === "TransactWriteItems" ? this.counted("collided", "collided") : "answered";
    if (!falls(RATES.lost)) return "answered";
    // One lost answer is mended by the SDK, all answers of a call by nobody but the caller.
    if (this.random() < 0.5) this.losing.set(callId, ATTEMPTS_OF_A_CALL - 1);
    return this.counted("lost", "lost");
  }

  private counted(what: keyof LifeWorld["counts"], fate: CallOutcome): CallOutcome {
    this.counts[what] += 1;
    return fate;
  }

  private kill(name: string): void {
    this.callers.get(name)?.kill();
    this.callers.delete(name);
  }

  private answer(service: string, action: string, body: string, fate: CallOutcome): { status: number; body: string } {
    const input = JSON.parse(body, asBytes) as Record<string, unknown>;
    try {
      if (service === "TrentService") return { status: 200, body: JSON.stringify(keyAnswer(action, input)) };
      if (fate === "throttled") throw throttled(action);
      if (fate === "collided") throw canceled("TransactionConflict");
      return { status: 200, body: JSON.stringify(this.dynamo.answer(action, input), asBase64) };
    } catch (error) {
      if (!(error instanceof DynamoRefusal)) throw error;
      const { code: type, reasons } = error;
      const __type = `com.amazonaws.dynamodb.v20120810#${type}`;
      return { status: 400, body: JSON.stringify({ __type, message: type, CancellationReasons: reasons }, asBase64) };
    }
  }
}

function throttled(action: string): DynamoRefusal {
  if (action === "TransactWriteItems") return canceled("ThrottlingError");
  return new DynamoRefusal("ProvisionedThroughputExceededException");
}

function canceled(code: string): DynamoRefusal {
  return new DynamoRefusal("TransactionCanceledException", [{ Code: code }, { Code: "None" }]);
}

/** A key of KMS that keeps nothing secret: a ciphertext is what it was given, and a MAC is always the same. */
function keyAnswer(action: string, input: Readonly<Record<string, unknown>>): object {
  const KeyId = input["KeyId"];
  if (action === "Encrypt") return { KeyId, CiphertextBlob: input["Plaintext"] };
  if (action === "Decrypt") return { KeyId, Plaintext: input["CiphertextBlob"] };
  return { KeyId, Mac: Buffer.alloc(32, 7).toString("base64") };
}

/** Binary attributes travel as base64. */
function asBytes(name: string, value: unknown): unknown {
  return name === "B" && typeof value === "string" ? Buffer.from(value, "base64") : value;
}

function asBase64(name: string, value: unknown): unknown {
  if (name !== "B" || typeof value !== "object" || value === null || !("data" in value)) return value;
  return Buffer.from(value.data as number[]).toString("base64");
}
