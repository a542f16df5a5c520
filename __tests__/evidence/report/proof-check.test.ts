import fc from "fast-check";
import type { PageEvidence } from "../../../evidence/report/page-evidence";
import { checkEvidence } from "../../../evidence/report/proof-check";
import { beginsWith, hashOfLeaf, pathSteps } from "../../../evidence/report/web-crypto";
import { isConsistent, rootOfInclusion } from "../../../evidence/verifier/merkle-tree";
import { treeHash } from "../../support/naive-log";
import { ReportWorld } from "./fixture";

let world: ReportWorld;
let evidence: PageEvidence;

beforeAll(async () => {
  world = new ReportWorld();
  const model = await world.model();
  evidence = { ...(model.proof?.evidence as PageEvidence), contentSha256: "" };
});
afterAll(() => world.delete());

test("genuine evidence is valid: Ed25519, P-256 and a witness's signature, entries, records, growth", async () => {
  const { state, checks, proven } = await checkEvidence(evidence);
  expect(checks.map((each) => each.state)).toEqual(["valid", "valid", "valid", "valid", "valid"]);
  expect(state).toBe("valid");
  expect(evidence.keys).toHaveLength(3);
  expect(evidence.entries.length).toBeGreaterThanOrEqual(60);
  expect(proven.size).toBe(evidence.entries.length);
  expect(evidence.entries.filter(({ record }) => record !== null).length).toBeGreaterThan(30);
  expect(evidence.earlier?.proof.length).toBeGreaterThan(0);
});

/** Every text and number in the evidence, by the way to it. */
function leavesOf(value: unknown, way: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== "object" || value === null) return value === null ? [] : [way];
  return Object.entries(value).flatMap(([name, member]) =>
    leavesOf(member, [...way, Array.isArray(value) ? Number(name) : name]),
  );
}

function changedAt(
  value: unknown,
  [first, ...rest]: readonly (string | number)[],
  change: (leaf: unknown) => unknown,
): unknown {
  if (first === undefined) return change(value);
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string | number, unknown>;
  copy[first] = changedAt(copy[first], rest, change);
  return copy;
}

test("whatever single character or number is changed, the evidence is not valid", async () => {
  // The page compares these two by themselves: which entry is drawn, and the checksum of the page.
  const few: PageEvidence = { ...evidence, entries: evidence.entries.slice(-12) };
  expect((await checkEvidence(few)).state).toBe("valid");
  const used = new Set([...few.entries.flatMap(({ path }) => path), ...(few.earlier?.proof ?? [])]);
  const ways = leavesOf(few).filter(
    ([first, at]) => first !== "drawn" && first !== "contentSha256" && (first !== "hashes" || used.has(Number(at))),
  );
  expect(ways.length).toBeGreaterThan(200);
  await fc.assert(
    fc.asyncProperty(fc.nat(ways.length - 1), fc.nat(), fc.integer({ min: 1, max: 31 }), async (which, where, by) => {
      const changed = changedAt(few, ways[which] ?? [], (leaf) => {
        if (typeof leaf !== "string") return Number(leaf) + by;
        const at = leaf === "" ? 0 : where % leaf.length;
        const character = String.fromCharCode((leaf.charCodeAt(at) || 64) ^ by);
        return leaf.slice(0, at) + character + leaf.slice(at + 1);
      });
      expect((await checkEvidence(changed as PageEvidence)).state).toBe("invalid");
    }),
    { numRuns: 200 },
  );
});

test("a signature that no named key made, a missing one, and no key at all are not valid", async () => {
  const [first = ""] = evidence.keys;
  for (const keys of [[], [first], [...evidence.keys, first]]) {
    expect((await checkEvidence({ ...evidence, keys })).state).toBe("invalid");
  }
});

test("paths and growth are judged as the verifier judges them, for every entry of small trees", async () => {
  const entries = Array.from({ length: 20 }, (_, at) => Buffer.from(`entry ${at}`));
  for (let size = 1; size <= entries.length; size += 1) {
    const root = treeHash(entries.slice(0, size));
    for (let index = 0; index < size; index += 1) {
      const path = pathOf(entries.slice(0, size), index);
      const leaf = await hashOfLeaf(entries[index] ?? Buffer.alloc(0));
      const steps = await pathSteps(leaf, index, size, path);
      expect(Buffer.from(steps.at(-1)?.node ?? leaf).equals(root)).toBe(true);
      expect(rootOfInclusion(leaf, index, size, path)?.equals(root)).toBe(true);
      if (size > 1) await expect(pathSteps(leaf, index, size, path.slice(1))).rejects.toThrow();
      await expect(pathSteps(leaf, index, size, [...path, root])).rejects.toThrow();
    }
    for (let first = 0; first <= size; first += 1) {
      const earlier = { size: first, root: new Uint8Array(treeHash(entries.slice(0, first))) };
      const later = { size, root: new Uint8Array(root) };
      const proof = growth(entries.slice(0, size), first).map((each) => new Uint8Array(each));
      expect([first, size, await beginsWith(later, earlier, proof)]).toEqual([
        first,
        size,
        isConsistent(earlier, later, proof),
      ]);
      expect(isConsistent(earlier, later, proof)).toBe(true);
      const wrong = { size: first, root: new Uint8Array(32) };
      if (first > 0) expect(await beginsWith(later, wrong, proof)).toBe(false);
    }
  }
});

/** `PATH(m, D[n])` as RFC 6962 section 2.1.1 writes it. */
function pathOf(entries: readonly Buffer[], index: number): Buffer[] {
  if (entries.length <= 1) return [];
  const split = 2 ** Math.ceil(Math.log2(entries.length) - 1);
  const [left, right] = [entries.slice(0, split), entries.slice(split)];
  return index < split ? [...pathOf(left, index), treeHash(right)] : [...pathOf(right, index - split), treeHash(left)];
}

/** `PROOF(m, D[n])` as RFC 6962 section 2.1.2 writes it. */
function growth(entries: readonly Buffer[], first: number): Buffer[] {
  return first === 0 ? [] : subProof(entries, first, true);
}

function subProof(entries: readonly Buffer[], first: number, isWhole: boolean): Buffer[] {
  if (first === entries.length) return isWhole ? [] : [treeHash(entries)];
  const split = 2 ** Math.ceil(Math.log2(entries.length) - 1);
  const [left, right] = [entries.slice(0, split), entries.slice(split)];
  return first <= split
    ? [...subProof(left, first, isWhole), treeHash(right)]
    : [...subProof(right, first - split, false), treeHash(left)];
}
