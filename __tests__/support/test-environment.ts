/**
 * Jest's Node environment, with one embedded AWS for all test files of a worker. Jest loads this module once per worker,
 * outside of the test files, so the emulator outlives the file that needed it first. It ends with the worker process,
 * however that ends.
 */
import { TestEnvironment } from "jest-environment-node";
import { type EmbeddedAws, startEmbeddedAws } from "../../local/embedded-aws";

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
  }
}
