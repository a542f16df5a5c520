/** The evidence that a report carries for its own check: paths of its entries, and the way from an earlier checkpoint. */

import { type Checkpoint, parseCheckpoint, type ReadCheckpoint } from "../log/checkpoint";
import { entryBytes } from "../log/entry";
import { checkSignatures, NoteError, parseVerifierKey, type VerifierKey } from "../log/note";
import { consistencyProof, inclusionProof, type SubtreeHashes, tileReader } from "../verifier/merkle-tree";
import { bearing, withCosignatures } from "../verifier/proof-search";
import type { VerifyOptions } from "../verifier/verify";
import type { ReportSummary } from "./changes";
import type { RecordStory, ReportModel, ShownEntry } from "./model";
import { type EarlierTree, type PageEvidence, REPORT_FORMAT } from "./page-evidence";
import { checkEvidence } from "./proof-check";

interface ProofParts {
  readonly verify: VerifyOptions;
  readonly entries: readonly ShownEntry[];
  readonly story: RecordStory | undefined;
  readonly before: ReportSummary | undefined;
}

/** Each hash has one place in the page, however many paths go by it. */
class HashTable {
  readonly hashes: string[] = [];
  private readonly places = new Map<string, number>();

  place(hash: Buffer): number {
    const text = hash.toString("base64");
    const known = this.places.get(text);
    if (known !== undefined) return known;
    this.places.set(text, this.hashes.length);
    return this.hashes.push(text) - 1;
  }
}

/** Whether it holds is for the check to say: a report of damaged evidence shows that it does not. @throws MissingTileError */
export async function pageProof(head: ReadCheckpoint, parts: ProofParts): Promise<NonNullable<ReportModel["proof"]>> {
  const { verify, entries, story } = parts;
  const tiles = tileReader(verify.evidence, head.size);
  const table = new HashTable();
  const paths: PageEvidence["entries"][number][] = [];
  for (const { index, entry, record } of entries) {
    const path = await inclusionProof(tiles, index, head.size);
    const text = entryBytes(entry).toString("utf8");
    paths.push({ index, text, path: path.map((hash) => table.place(hash)), record });
  }
  const earlier = await earlierTree(head, parts, tiles, table);
  const evidence: Omit<PageEvidence, "contentSha256"> = {
    format: REPORT_FORMAT,
    ...(await signedNote(head, verify)),
    hashes: table.hashes,
    entries: paths,
    earlier,
    drawn: story?.drawn.index ?? -1,
  };
  return { evidence, result: await checkEvidence({ ...evidence, contentSha256: "" }) };
}

/** The newest checkpoint with the signatures of the pinned keys that signed it; of all, where none did. */
async function signedNote(
  head: ReadCheckpoint,
  { evidence, keys, witnessKeys = [] }: VerifyOptions,
): Promise<Pick<PageEvidence, "checkpoint" | "keys">> {
  const bytes = await withCosignatures(evidence, head.bytes);
  return noteSignedBy(bytes, [...keys, ...witnessKeys].map(parseVerifierKey));
}

function noteSignedBy(bytes: Buffer, keys: readonly VerifierKey[]): Pick<PageEvidence, "checkpoint" | "keys"> {
  const { note } = parseCheckpoint(bytes);
  const signed = keys.filter((key) =>
    note.signatures.some(({ name, keyId }) => name === key.name && keyId === key.keyId),
  );
  const isOwn = ({ name, keyId }: { readonly name: string; readonly keyId: string }) =>
    signed.length === 0 || signed.some((key) => key.name === name && key.keyId === keyId);
  return { checkpoint: bearing(bytes, isOwn).toString("utf8"), keys: signed.map(({ vkey }) => vkey) };
}

/** From the last report's checkpoint, else from the one that was kept; null where no pinned key signed either. */
async function earlierTree(
  head: Checkpoint,
  { verify, before }: ProofParts,
  tiles: SubtreeHashes,
  table: HashTable,
): Promise<EarlierTree | null> {
  const keys = [...verify.keys, ...(verify.retiredKeys ?? [])].map(parseVerifierKey);
  for (const text of [before?.checkpoint, verify.lastCheckpoint]) {
    const earlier = text === undefined ? undefined : checkpointIn(text);
    if (text === undefined || earlier === undefined || earlier.origin !== head.origin) continue;
    const isSigned = checkSignatures(earlier.note, keys).good.some(({ name }) => name === earlier.origin);
    if (!isSigned || earlier.size > head.size) continue;
    const proof = await consistencyProof(tiles, earlier.size, head.size);
    return { ...noteSignedBy(Buffer.from(text), keys), proof: proof.map((hash) => table.place(hash)) };
  }
  return null;
}

function checkpointIn(text: string): Checkpoint | undefined {
  try {
    return parseCheckpoint(Buffer.from(text));
  } catch (error) {
    if (error instanceof NoteError) return undefined;
    throw error;
  }
}
