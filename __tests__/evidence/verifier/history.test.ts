import { historyOf, type Leaf, possibleStates, versionNumber } from "../../../evidence/verifier/history";

/** `kind version commitment<previous @sequence`, such as `RECORD 2 b<a @20`; no sequence for what a sweep found. */
function leaves(...texts: readonly string[]): Leaf[] {
  return texts.map((text, index) => {
    const [, kind, version = "", commitment = "", previous = "", sequence = ""] =
      /^(\w+) (\S+) (\w*)<(\w*)(?: @(\d+))?$/.exec(text) ?? [];
    return { index: index * 10, kind: kind as Leaf["kind"], version, commitment, previous, sequence };
  });
}

/** What is in the table in the end, and what is wrong. */
function told(...texts: readonly string[]) {
  const { heads, faults, repeats } = historyOf(leaves(...texts));
  return {
    stands: heads.at(-1)?.commitment,
    faults: faults.map(({ code, leaf }) => `${code} ${leaf.index / 10}`),
    repeats,
  };
}

test.each<[string, string[], string]>([
  ["nothing", [], ""],
  ["a record", ["RECORD 1 a< @1"], "a"],
  ["its changes", ["RECORD 1 a< @1", "RECORD 2 b<a @2", "RECORD 3 c<b @3"], "c"],
  ["a forged record", ["FORGED x a< @1"], "a"],
  ["a change that was tampering", ["RECORD 1 a< @1", "TAMPER 1 x<a @2"], "x"],
  ["a change back", ["RECORD 1 a< @1", "TAMPER 1 x<a @2", "TAMPER 1 a<x @3"], "a"],
  ["a removal", ["RECORD 1 a< @1", "TAMPER 1 <a @2"], ""],
  ["put back after its removal", ["RECORD 1 a< @1", "TAMPER 1 <a @2", "RECORD 1 a< @3"], "a"],
  ["a later version put back", ["RECORD 1 a< @1", "RECORD 2 b<a @2", "TAMPER 2 <b @3", "RECORD 2 b< @4"], "b"],
  ["a status change after tampering", ["RECORD 1 a< @1", "TAMPER 1 x<a @2", "RECORD 2 b<x @3"], "b"],
  ["what a sweep sealed", ["LATE 1 a<"], "a"],
  ["a later version that a sweep sealed", ["RECORD 1 a< @1", "LATE 4 d<a"], "d"],
  ["a forged one that a sweep found", ["RECORD 1 a< @1", "FORGED 1 x<a"], "x"],
  ["a removal of what was never sealed", ["TAMPER 1 <a @2"], ""],
  ["a change of what was never sealed, which is a finding already", ["TAMPER 1 x<a @2"], "x"],
  ["sequence numbers with zeros in front", ["RECORD 1 a< @0009", "RECORD 2 b<a @00000010"], "b"],
])("%s is no fault", (_name, texts, stands) => {
  expect(told(...texts)).toEqual({ stands, faults: [], repeats: 0 });
});

test.each<[string, string[], string, number]>([
  ["the stream told it twice", ["RECORD 1 a< @1", "RECORD 1 a< @1"], "a", 1],
  ["and a change, later", ["RECORD 1 a< @1", "RECORD 2 b<a @2", "RECORD 1 a< @1", "RECORD 2 b<a @2"], "b", 2],
  ["and a record that was removed since", ["RECORD 1 a< @1", "TAMPER 1 <a @2", "RECORD 1 a< @1"], "", 1],
  ["a removal was reported twice", ["RECORD 1 a< @1", "TAMPER 1 <a @2", "TAMPER 1 <a @2"], "", 1],
  ["a sweep found what the stream had told", ["RECORD 1 a< @1", "LATE 1 a<"], "a", 1],
  ["the stream told what a sweep had found", ["LATE 1 a<", "RECORD 1 a< @1"], "a", 1],
  ["both found it, one after the other", ["LATE 1 a<", "LATE 1 a<"], "a", 1],
  [
    "the stream told all that led to what a sweep had found",
    ["LATE 3 c<", "RECORD 1 a< @1", "RECORD 2 b<a @2", "RECORD 3 c<b @3"],
    "c",
    1,
  ],
  ["and what came after", ["LATE 2 b<", "RECORD 1 a< @1", "RECORD 2 b<a @2", "RECORD 3 c<b @3"], "c", 1],
  ["a sweep sealed it forged, and the stream told so", ["FORGED 1 x<", "FORGED 1 x< @1"], "x", 1],
])("%s: harmless, and counted", (_name, texts, stands, repeats) => {
  expect(told(...texts)).toEqual({ stands, faults: [], repeats });
});

test.each<[string, string[], string[], string]>([
  ["a change before what it replaced", ["RECORD 2 b<a @2", "RECORD 1 a< @1"], ["OUT_OF_ORDER 0"], "b"],
  ["three in the wrong order", ["RECORD 3 c<b @3", "RECORD 2 b<a @2", "RECORD 1 a< @1"], ["OUT_OF_ORDER 0"], "c"],
  ["sequence numbers that go back", ["RECORD 1 a< @5", "RECORD 2 b<a @4"], ["SEQUENCE_BACK 1"], "b"],
  ["a sequence number for two events", ["RECORD 1 a< @5", "RECORD 2 b<a @5"], ["SEQUENCE_BACK 1"], "b"],
  ["the same event under two sequence numbers", ["RECORD 1 a< @1", "RECORD 1 a< @2"], ["REPEATED_ENTRY 1"], "a"],
  ["an old version again", ["RECORD 1 a< @1", "RECORD 2 b<a @2", "RECORD 1 a< @3"], ["REPEATED_ENTRY 2"], "b"],
  ["two first versions", ["RECORD 1 a< @1", "RECORD 1 x< @2"], ["CONTRADICTING_ENTRIES 1"], "x"],
  [
    "two that replace the same",
    ["RECORD 1 a< @1", "RECORD 2 b<a @2", "RECORD 2 x<a @3"],
    ["CONTRADICTING_ENTRIES 2"],
    "x",
  ],
  ["a first version that says it is the third", ["RECORD 3 c< @1"], ["VERSION_UNSEALED 0"], "c"],
  ["a change of what was never sealed", ["RECORD 2 b<a @1"], ["VERSION_UNSEALED 0"], "b"],
  ["a gap between versions", ["RECORD 1 a< @1", "RECORD 3 c<b @2"], ["VERSION_UNSEALED 1"], "c"],
  ["a version that does not follow", ["RECORD 1 a< @1", "RECORD 3 b<a @2"], ["WRONG_VERSION 1"], "b"],
  ["a version that stays", ["RECORD 1 a< @1", "RECORD 1 b<a @2"], ["WRONG_VERSION 1"], "b"],
])("%s is a fault", (_name, texts, faults, stands) => {
  expect(told(...texts)).toMatchObject({ stands, faults });
});

test("a table may hold what the cut demands, and everything that came after it", () => {
  const history = historyOf(leaves("RECORD 1 a< @1", "RECORD 2 b<a @2", "RECORD 3 c<b @3"));
  const states = (cut: number) => possibleStates(history, cut).map(({ commitment }) => commitment);
  expect(states(0)).toEqual(["", "a", "b", "c"]);
  expect(states(1)).toEqual(["a", "b", "c"]);
  expect(states(10)).toEqual(["a", "b", "c"]);
  expect(states(11)).toEqual(["b", "c"]);
  expect(states(1000)).toEqual(["c"]);
  expect(possibleStates(historyOf([]), 5)).toEqual([{ from: -1, commitment: "" }]);
});

test("a version that is not a number counts as no version", () => {
  expect(["12", "1.5", "", "x"].map(versionNumber)).toEqual([12n, 0n, 0n, 0n]);
});
