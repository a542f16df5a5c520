/**
 * Packs: 65,536 entries in one object, their 256 bundles one after another. Who reads the whole log from a bucket takes them in place of
 * the bundles and of the tiles over these, which follow from the entries. The entries are checked against the signed root wherever they
 * come from.
 */

import { leafHash } from "../log/hashing";
import {
  bundlePath,
  missingPacks,
  PACK_BUNDLES,
  PACK_BYTES_MAX,
  PACK_ENTRIES,
  PACKS_PREFIX,
  packPath,
  packsAmong,
  TILE_WIDTH,
  tilePath,
} from "../log/paths";
import { EvidenceError, type EvidenceFolder, endsOf, entriesOf, type Packs } from "./evidence";
import type { Run } from "./run";

interface Pack {
  readonly bytes: Buffer;
  /** Where each bundle ends. */
  readonly ends: readonly number[];
}

/**
 * The folder, in which a bundle that is not there, and the tile over it, come from the pack that holds them.
 * @param isInstead says of each pack, by its number, whether it is read in place of bundles and tiles that are there too: where
 * each object costs a request. Those are then not looked at. Default: all objects are.
 */
export function withPacks(
  evidence: EvidenceFolder,
  isInstead: (pack: number) => boolean = () => false,
): EvidenceFolder {
  const packs = new PackReader(evidence, isInstead);
  return {
    name: evidence.name,
    ...(evidence.folder !== undefined && { folder: evidence.folder }),
    packs,
    list: (prefix) => evidence.list(prefix),
    read: async (path) => {
      const [, kind, name] = /^tile\/(0|entries)\/((?:x[0-9]{3}\/)*[0-9]{3})$/.exec(path) ?? [];
      if (name === undefined) return evidence.read(path);
      const index = Number(name.replaceAll(/[x/]/g, ""));
      const stored = await packs.stored(path, index);
      return stored ?? (kind === "entries" ? packs.bundle(index) : packs.tile(index));
    },
  };
}

class PackReader implements Packs {
  /** The one that was read last: readers take one pack after another, and each has some 20 MB. */
  private held: { readonly index: number; readonly pack: Promise<Pack | EvidenceError | undefined> } | undefined;

  constructor(
    private readonly evidence: EvidenceFolder,
    private readonly isInstead: (pack: number) => boolean,
  ) {}

  async holds(bundle: number): Promise<boolean> {
    return (await this.whole(bundle)) !== undefined;
  }

  storedTile(bundle: number): Promise<Buffer | undefined> {
    return this.stored(tilePath(0, bundle), bundle);
  }

  /** The object, unless the pack is read in its place. */
  async stored(path: string, bundle: number): Promise<Buffer | undefined> {
    if (this.isInstead(packOf(bundle)) && (await this.holds(bundle))) return undefined;
    return this.evidence.read(path);
  }

  async bundle(bundle: number): Promise<Buffer | undefined> {
    const pack = await this.whole(bundle);
    if (pack === undefined) return undefined;
    const at = bundle % PACK_BUNDLES;
    return pack.bytes.subarray(at === 0 ? 0 : pack.ends[at - 1], pack.ends[at]);
  }

  async tile(bundle: number): Promise<Buffer | undefined> {
    const bytes = await this.bundle(bundle);
    return bytes && Buffer.concat(entriesOf(bytes, TILE_WIDTH, bundlePath(bundle)).map(leafHash));
  }

  async faultAt(bundle: number, entries: readonly Buffer[] | undefined): Promise<EvidenceError | undefined> {
    const pack = await this.read(packOf(bundle));
    if (pack instanceof EvidenceError) return bundle % PACK_BUNDLES === 0 ? pack : undefined;
    const packed = await this.bundle(bundle);
    if (packed === undefined || entries === undefined) return undefined;
    // These entries are bytes of the pack. Nothing else lies in its memory: only small buffers of Node.js share memory.
    if (entries[0]?.buffer === packed.buffer) return undefined;
    const own = entriesOf(packed, TILE_WIDTH, bundlePath(bundle));
    if (own.every((entry, at) => entries[at]?.equals(entry) === true)) return undefined;
    return new EvidenceError(packPath(packOf(bundle)), `its entries are not those of ${bundlePath(bundle)}.`);
  }

  private async whole(bundle: number): Promise<Pack | undefined> {
    const pack = await this.read(packOf(bundle));
    return pack instanceof EvidenceError ? undefined : pack;
  }

  private read(index: number): Promise<Pack | EvidenceError | undefined> {
    if (this.held?.index !== index) this.held = { index, pack: this.load(index) };
    return this.held.pack;
  }

  private async load(index: number): Promise<Pack | EvidenceError | undefined> {
    const path = packPath(index);
    try {
      const bytes = await this.evidence.read(path);
      if (bytes === undefined) return undefined;
      return { bytes, ends: endsOf(bytes, PACK_ENTRIES, path, TILE_WIDTH) };
    } catch (error) {
      if (error instanceof EvidenceError) return error;
      throw error;
    }
  }
}

/** Number of the pack that holds this bundle. */
function packOf(bundle: number): number {
  return Math.floor(bundle / PACK_BUNDLES);
}

/** Numbers of the packs that are there, of a tree of this size. */
export async function packsListed(evidence: EvidenceFolder, size: number): Promise<Set<number>> {
  return packsAmong(evidence.list(PACKS_PREFIX), size);
}

/** Reports each pack that is missing behind an earlier one. */
export async function checkPacksFollow(run: Run, size: number): Promise<void> {
  for (const index of missingPacks(await packsListed(run.evidence, size), size)) {
    if (await isTooLarge(run, index)) continue;
    const message =
      `${packPath(index)} is not there, and earlier packs are. Fetch the evidence again; if it comes again, the bucket has lost it, ` +
      "or an older version, which makes no packs, has published these entries: then the publisher puts it within hours.";
    run.findings.add({ verdict: "incomplete", code: "EVIDENCE_MISSING", message });
  }
}

/** Whether these bundles are larger together than a pack may be. */
async function isTooLarge({ evidence, checkDeadline }: Run, index: number): Promise<boolean> {
  let length = 0;
  for (let bundle = index * PACK_BUNDLES; bundle < (index + 1) * PACK_BUNDLES; bundle++) {
    checkDeadline();
    length += (await lengthAt(evidence, bundlePath(bundle))) ?? 0;
  }
  return length > PACK_BYTES_MAX;
}

async function lengthAt(evidence: EvidenceFolder, path: string): Promise<number | undefined> {
  try {
    return (await evidence.read(path))?.length;
  } catch (error) {
    // Who reads the entries reports it.
    if (error instanceof EvidenceError) return undefined;
    throw error;
  }
}
