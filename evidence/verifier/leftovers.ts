/**
 * Objects of the evidence that this checkpoint does not need: partial tiles and bundles of earlier ones, and the log's own
 * list of keys. Somebody may still be given them, so they too must say what the log says.
 */

import type { Checkpoint } from "../log/checkpoint";
import { NoteError, parseVerifierKey } from "../log/note";
import { TILE_WIDTH } from "../log/paths";
import { EvidenceError, entriesOf, readBundle, readTile } from "./evidence";
import type { Run } from "./run";

const PARTIAL = /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/;

interface PartialTile {
  /** Undefined for a bundle. */
  readonly level: number | undefined;
  readonly index: number;
  readonly width: number;
}

/** @param faulty tiles that were found to be others than the entries', without their widths. */
export async function checkLeftovers(run: Run, head: Checkpoint, faulty: ReadonlySet<string>): Promise<void> {
  let unknown = 0;
  for await (const path of run.evidence.list("tile/")) {
    run.checkDeadline();
    const place = placeOf(path);
    const width = place === undefined ? 0 : widthIn(head.size, place);
    if (place === undefined || width === 0 || (place.width > width && place.width < TILE_WIDTH)) unknown += 1;
    else if (place.width < width && !faulty.has(path.replace(/\.p\/[0-9]+$/, "")))
      await comparePartial(path, place, width, run);
  }
  if (unknown > 0)
    run.findings.note(
      `${unknown} objects under tile/ belong to no tree of at most ${head.size} entries; they were not looked at.`,
    );
  for await (const path of run.evidence.list("keys/")) await checkKey(path, head, run);
}

function placeOf(path: string): PartialTile | undefined {
  const [, kind, name, partial] = PARTIAL.exec(path) ?? [];
  if (kind === undefined || name === undefined) return undefined;
  const index = Number(name.replaceAll(/[x/]/g, ""));
  return {
    level: kind === "entries" ? undefined : Number(kind),
    index,
    width: partial === undefined ? TILE_WIDTH : Number(partial),
  };
}

/** How many hashes or entries this tile has in a tree of this size. */
function widthIn(size: number, { level = 0, index }: PartialTile): number {
  const hashes = Math.floor(size / TILE_WIDTH ** level);
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH));
}

/** What the whole tile begins with was checked already. */
async function comparePartial(path: string, place: PartialTile, width: number, run: Run): Promise<void> {
  try {
    const isSame =
      place.level === undefined ? await isSameBundle(path, place, width, run) : await isSameTile(place, width, run);
    if (isSame) return;
    throw new EvidenceError(path, "it is not the beginning of its full one.");
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    run.findings.add({ verdict: "altered", code: "EVIDENCE_ALTERED", message: error.message });
  }
}

async function isSameTile(
  { level = 0, index, width: own }: PartialTile,
  width: number,
  { evidence }: Run,
): Promise<boolean> {
  const [partial, whole] = [await readTile(evidence, level, index, own), await readTile(evidence, level, index, width)];
  // A whole one that is missing was reported already.
  return whole === undefined || partial?.equals(whole.subarray(0, partial.length)) === true;
}

async function isSameBundle(
  path: string,
  { index, width: own }: PartialTile,
  width: number,
  { evidence }: Run,
): Promise<boolean> {
  const bytes = await evidence.read(path);
  const partial = bytes && entriesOf(bytes, own, path);
  const whole = await readBundle(evidence, index, width);
  return whole === undefined || partial?.every((entry, at) => whole[at]?.equals(entry) === true) === true;
}

/** The list is no source of keys to trust, but it must not mislead either. */
async function checkKey(path: string, { origin }: Checkpoint, run: Run): Promise<void> {
  const bytes = await run.evidence.read(path);
  const fault = keyFault(path, bytes?.toString("utf8") ?? "", origin, run);
  if (fault !== undefined)
    run.findings.add({ verdict: "altered", code: "EVIDENCE_ALTERED", message: `${path}: ${fault}` });
}

function keyFault(path: string, text: string, origin: string, run: Run): string | undefined {
  try {
    const { name, keyId, vkey } = parseVerifierKey(text.trimEnd());
    if (path !== `keys/${keyId}.vkey` || name !== origin) return "It is not the key that its name says.";
    const pinned = run.keys.find((key) => key.keyId === keyId);
    return pinned === undefined || pinned.vkey === vkey
      ? undefined
      : "It is another key than the pinned one of this id.";
  } catch (error) {
    if (error instanceof NoteError) return error.message;
    throw error;
  }
}
