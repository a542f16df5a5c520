/** A witness over HTTP, by C2SP tlog-witness: `add-checkpoint` for logs, and the latest checkpoint of each for monitors. */

import { hash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { VerifierKey } from "../log/note";
import { addCheckpoint, type Cosigner, type WitnessState } from "../verifier/witness";

export interface WitnessServerSettings {
  readonly state: WitnessState;
  readonly logKeys: readonly VerifierKey[];
  readonly cosigner: Cosigner;
  readonly now: () => number;
  /** What was asked and answered, a line each. */
  readonly tell: (text: string) => void;
}

export interface WitnessServer {
  /** @returns the port, which the system chooses for 0. */
  listen(host: string, port: number): Promise<number>;
  close(): Promise<void>;
}

/** A checkpoint with a hundred post-quantum signatures, and a proof. */
const BODY_BYTES_MAX = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const textAnswer = (status: number, body: string): Answer => ({
  status,
  contentType: "text/plain; charset=utf-8",
  body,
});

export function witnessServer(settings: WitnessServerSettings): WitnessServer {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    const asked = `${request.method} ${(request.url ?? "").slice(0, 100)}`;
    answerTo(request, settings)
      .catch((error: unknown) => {
        settings.tell(error instanceof Error ? error.message : String(error));
        return textAnswer(500, "The witness cannot answer now.\n");
      })
      .then((answer) => {
        settings.tell(`${asked}: ${answer.status}`);
        send(answer, request, response);
      });
  });
  return {
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
      }),
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

async function answerTo(request: IncomingMessage, settings: WitnessServerSettings): Promise<Answer> {
  const pathname = (request.url ?? "").split("?")[0] ?? "";
  const isSubmission = pathname === "/add-checkpoint";
  const monitored = /^\/([0-9a-f]{64})\/checkpoint$/.exec(pathname)?.[1];
  if (!isSubmission && monitored === undefined) return textAnswer(404, "There is no such resource.\n");
  if (request.method !== (isSubmission ? "POST" : "GET")) return textAnswer(405, "It takes another method.\n");
  if (monitored !== undefined) return shown(monitored, settings);
  const body = await bodyOf(request);
  if (body === undefined) return textAnswer(413, "The request is too long.\n");
  return addCheckpoint(body, settings.state, settings.logKeys, settings.cosigner, settings.now());
}

/** @param originHash SHA-256 of the origin in hex. */
async function shown(originHash: string, { state, logKeys }: WitnessServerSettings): Promise<Answer> {
  const origin = logKeys.find(({ name }) => hash("sha256", name, "hex") === originHash)?.name;
  const seen = origin === undefined ? undefined : await state.latest(origin);
  return seen === undefined ? textAnswer(404, "This witness has cosigned no such log.\n") : textAnswer(200, seen.note);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function send({ status, contentType, body }: Answer, request: IncomingMessage, response: ServerResponse): void {
  // What was not read of a request that was refused cannot be skipped.
  if (!request.complete) response.setHeader("connection", "close");
  response.writeHead(status, { "content-type": contentType, "content-length": Buffer.byteLength(body) }).end(body);
}
