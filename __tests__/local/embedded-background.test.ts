import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { down, up } from "../../local/embedded-background";
import { embeddedState, type UpState } from "../../local/embedded-state";
import { REGION, writeProbeApp, writeStacks } from "./fixture";
import { eventually, isRunning, processTree } from "./processes";

let scratch: string;
let stateDirectory: string;
const folders: string[] = [];

beforeEach(() => {
  scratch = mkdtempSync(path.join(tmpdir(), "embedded-cli-test-"));
  stateDirectory = path.join(scratch, "state");
});

afterEach(async () => {
  await down(stateDirectory);
  for (const folder of [scratch, ...folders.splice(0)]) rmSync(folder, { recursive: true, force: true });
});

function kept(folder: string): string {
  folders.push(folder);
  return folder;
}

async function tablesOf(state: UpState): Promise<string[] | undefined> {
  const { endpoint, region, accessKeyId, secretAccessKey } = state;
  const client = new DynamoDBClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } });
  return (await client.send(new ListTablesCommand({}))).TableNames;
}

test("up deploys and stays, status tells, a second up is refused, down leaves nothing", async () => {
  const app = kept(writeProbeApp());
  expect(await embeddedState(stateDirectory)).toBeUndefined();

  const state = await up(app, stateDirectory);
  expect(state).toMatchObject({ region: REGION, resourceCount: expect.any(Number) });
  expect(await tablesOf(state)).toEqual(["PaymentLedger-test"]);
  expect(await embeddedState(stateDirectory)).toEqual(state);
  await expect(up(app, stateDirectory)).rejects.toMatchObject({ code: "EMBEDDED_ALREADY_UP" });

  const processes = processTree(state.pid);
  expect(await down(stateDirectory)).toEqual(state);
  await eventually("all processes are gone", () => !processes.some(isRunning));
  expect(existsSync(stateDirectory)).toBe(false);
  expect(await down(stateDirectory)).toBeUndefined();
});

test("who talks to it is somebody that it knows", async () => {
  const state = await up(kept(writeProbeApp()), stateDirectory);
  expect(state.accessKeyId).toBe("administrator");
  // The fixture's plan has no policy for auditors.
  await expect(tablesOf({ ...state, accessKeyId: "auditor" })).rejects.toMatchObject({
    name: "AccessDeniedException",
    message: expect.stringContaining("because no identity-based policy allows the dynamodb:ListTables action"),
  });
  await expect(tablesOf({ ...state, accessKeyId: "111122223333" })).rejects.toMatchObject({
    name: "UnrecognizedClientException",
  });
});

test("what cannot be deployed is said, and nothing stays up", async () => {
  const body = { resource: { aws_quantum_ledger: { x: {} } } };
  await expect(up(kept(writeStacks({ only: { body } })), stateDirectory)).rejects.toThrow("aws_quantum_ledger.x");
  expect(await embeddedState(stateDirectory)).toBeUndefined();
});
