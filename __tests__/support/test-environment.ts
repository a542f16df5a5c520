/**
 * Jest's Node environment, with what all test files of a worker share: one embedded AWS, and the synthesized apps. Jest
 * loads this module once per worker, outside of the test files, so both outlive the file that needed them first. The
 * emulator ends with the worker process, however that ends.
 */
import { TestEnvironment } from "jest-environment-node";
import { type EmbeddedAws, startEmbeddedAws } from "../../local/embedded-aws";

/** Texts only: an object of one test file must not be seen by another. */
const synthesizedApps = new Map<string, string>();

let started: Promise<EmbeddedAws> | undefined;

/** Starts it for the first file that asks. A failure is that file's own: the next one tries again. */
function embeddedAwsOfWorker(): Promise<EmbeddedAws> {
  started ??= startEmbeddedAws().catch((error) => {
    started = undefined;
    throw error;
  });
  return started;
}

export default class extends TestEnvironment {
  override async setup(): Promise<void> {
    await super.setup();
    this.global["embeddedAwsOfWorker"] = embeddedAwsOfWorker;
    this.global["synthesizedApps"] = synthesizedApps;
  }
}
