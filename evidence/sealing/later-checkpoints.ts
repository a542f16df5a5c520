/**
 * The checkpoints that lie in the evidence bucket beyond the newest published one. A publisher that died between its last
 * two puts leaves one there, over entries that are committed. Any other one proves that the log was set back: a person who
 * restores an older log-state table and an older newest checkpoint cannot remove what was published since.
 */

import { checkpointText, textOfCheckpoint } from "../log/checkpoint";
import { checkpointPath } from "../log/paths";
import { logForked } from "./errors";
import type { EvidenceBucket } from "./evidence-bucket";
import { rootOf } from "./frontier";
import type { TileWriter } from "./tile-writer";

const FOLDER = "checkpoints/";

export class LaterCheckpoints {
  /** Size of the last one that was found to be of the growing tree. */
  matchedSize = -1;

  private constructor(
    private readonly evidence: EvidenceBucket,
    private readonly paths: AsyncIterator<string>,
    private nextSize: number | undefined,
  ) {}

  /** @param size of the newest published checkpoint; 0 before the first. */
  static async after(size: number, evidence: EvidenceBucket): Promise<LaterCheckpoints> {
    const paths = evidence.listAfter(FOLDER, checkpointPath(size))[Symbol.asyncIterator]();
    return new LaterCheckpoints(evidence, paths, await nextSizeOf(paths));
  }

  /** Whether any is left that the growing tree has not come to. */
  get areAhead(): boolean {
    return this.nextSize !== undefined;
  }

  /**
   * @param committedSize reads how many entries are committed; asked again where another publisher may have been at work.
   * @throws SealingError LOG_FORKED for one that covers more entries than are committed.
   */
  async checkNoneBeyond(size: number, committedSize: () => Promise<number>): Promise<void> {
    if (!this.areAhead) return;
    const beyond = await nextSizeOf(this.evidence.listAfter(FOLDER, checkpointPath(size))[Symbol.asyncIterator]());
    if (beyond === undefined || beyond <= (await committedSize())) return;
    throw logForked(
      `${checkpointPath(beyond)} of the evidence covers more entries than the log-state table holds: the log was set back`,
    );
  }

  /** Called after each entry. @throws SealingError LOG_FORKED when the checkpoint of this size is of another tree. */
  async compare(tree: TileWriter, origin: string): Promise<void> {
    if (tree.size !== this.nextSize) return;
    const path = checkpointPath(tree.size);
    const file = await this.evidence.read(path);
    const text = checkpointText(origin, tree.size, rootOf(tree.frontier()));
    if (file === undefined || textOfCheckpoint(file.bytes) !== text) {
      throw logForked(`${path} of the evidence is not the checkpoint that the committed entries give`);
    }
    this.matchedSize = tree.size;
    this.nextSize = await nextSizeOf(this.paths);
  }
}

async function nextSizeOf(paths: AsyncIterator<string>): Promise<number | undefined> {
  const next = await paths.next();
  if (next.done === true) return undefined;
  const [, digits] = /^checkpoints\/([0-9]{16})$/.exec(next.value) ?? [];
  if (digits !== undefined) return Number(digits);
  throw logForked(`${JSON.stringify(next.value)} of the evidence is not the path of a checkpoint`);
}
