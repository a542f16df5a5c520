import { parseVerifierKey } from "../../../evidence/log/note";
import { Findings } from "../../../evidence/verifier/findings";
import { LAST_CHECKPOINT_AGE_MAX_DAYS } from "../../../evidence/verifier/pins";
import { SignerOrder } from "../../../evidence/verifier/published";
import type { Step } from "../../support/naive-log";
import { Draft, genuineDraft, key, NOW, otherKey, witness } from "../../support/verified-world";

const genuine = genuineDraft();
const { log } = genuine.world;
const SIZE = log.entries.length;
const sizes = [...genuine.evidence.keys()]
  .filter((path) => path.startsWith("checkpoints/"))
  .map((path) => Number(path.slice(12)))
  .sort((a, b) => a - b);
const DAY_MS = 86_400_000;

describe("what a last checkpoint vouches for", () => {
  test("is the entries that it covers, and the report says so", async () => {
    const [size = 0] = sizes.slice(2);
    expect(await new Draft(genuine.built).verify({ lastCheckpoint: log.checkpointAt(size) })).toMatchObject({
      verdict: "ok",
      pinnedBy: "last-checkpoint",
      pinnedSize: size,
      size: SIZE,
    });
  });

  test("is nothing when it is the evidence's own", async () => {
    const report = await new Draft(genuine.built).verify({ lastCheckpoint: log.checkpointAt(SIZE) });
    expect(report).toMatchObject({ verdict: "tail-not-pinned", pinnedBy: null, pinnedSize: 0 });
    expect(report.findings).toMatchObject([{ code: "LAST_CHECKPOINT_IS_HEAD" }]);
  });

  test("is not enough when it is older than a quarter", async () => {
    const days = (count: number) => ({ now: new Date(NOW.getTime() + count * DAY_MS), sourceAgeMaxMs: 1e12 });
    const seen = { lastCheckpoint: log.checkpointAt(sizes[0] ?? 0) };
    const codes = async (count: number) =>
      (await new Draft(genuine.built).verify({ ...days(count), ...seen })).findings.map(({ code }) => code);
    expect(await codes(LAST_CHECKPOINT_AGE_MAX_DAYS - 1)).not.toContain("LAST_CHECKPOINT_OLD");
    expect(await codes(LAST_CHECKPOINT_AGE_MAX_DAYS + 1)).toContain("LAST_CHECKPOINT_OLD");
  });

  test("is not enough when no heartbeat says of when it is", async () => {
    const draft = new Draft(genuine.built);
    draft.reseal((steps) => {
      const first = steps.findIndex(({ kind }) => kind === "entry");
      const entry = steps[first] as Step;
      return [entry, { kind: "publish" }, ...steps.filter((_step, place) => place !== first)];
    });
    const one = (draft.evidence.get(`checkpoints/${"1".padStart(16, "0")}`) ?? "").toString();
    const report = await draft.verify({ lastCheckpoint: one });
    expect(report.findings).toMatchObject([{ verdict: "tail-not-pinned", code: "LAST_CHECKPOINT_OLD" }]);
  });

  test("matters not where a witness saw the end", async () => {
    const options = { witnessKeys: [witness.vkey], lastCheckpoint: log.checkpointAt(SIZE) };
    expect(await new Draft(genuine.built).verify(options)).toMatchObject({
      verdict: "ok",
      pinnedBy: "witness",
      pinnedSize: SIZE,
    });
  });
});

describe("keys that the log had before", () => {
  /** Checkpoints of the first and second quarter by the old key, then by both, then by the new one. */
  function rotated(signersAt: (place: number) => readonly (typeof key)[]): Draft {
    const draft = new Draft(genuine.built);
    draft.evidence.set(`keys/${otherKey.keyId}.vkey`, Buffer.from(otherKey.vkey));
    for (const [place, size] of sizes.entries()) {
      const text = log.textAt(size);
      const note = Buffer.from(
        `${text}\n${signersAt(place)
          .map((each) => each.sign(text))
          .join("")}`,
      );
      draft.evidence.set(`checkpoints/${String(size).padStart(16, "0")}`, note);
      if (size === SIZE) draft.evidence.set("checkpoint", note);
    }
    draft.options = { keys: [otherKey.vkey], retiredKeys: [key.vkey], lastCheckpoint: log.checkpointAt(sizes[1] ?? 0) };
    return draft;
  }
  const change = (place: number) => (place < 2 ? [key] : place < 4 ? [key, otherKey] : [otherKey]);

  test("vouch for the checkpoints before the first one that both signed, and for the last one that was seen", async () => {
    const draft = rotated(change);
    expect(await draft.verify()).toMatchObject({ verdict: "ok" });
    expect(await draft.verify({ keys: [otherKey.vkey, key.vkey], retiredKeys: [] })).toMatchObject({ verdict: "ok" });
  });

  test("do not vouch for the newest one", async () => {
    const draft = rotated((place) => (sizes[place] === SIZE ? [key] : change(place)));
    expect((await draft.verify()).findings).toContainEqual(
      expect.objectContaining({ verdict: "wrong-key", code: "RETIRED_KEY" }),
    );
    // Even where nobody said which key is retired: the newer one signs, and did not sign this.
    const report = await draft.verify({ keys: [otherKey.vkey, key.vkey], retiredKeys: [] });
    expect(report).toMatchObject({ verdict: "wrong-key", findings: [{ code: "RETIRED_KEY" }] });
  });

  test("do not vouch for one after the first that the new key signed", async () => {
    const draft = rotated((place) => (place === sizes.length - 2 ? [key] : change(place)));
    expect(await draft.verify()).toMatchObject({ verdict: "wrong-key", findings: [{ code: "RETIRED_KEY" }] });
  });

  test("may still sign the checkpoint at which the new key begins, and none after it", () => {
    const [older, newer] = [parseVerifierKey(key.vkey), parseVerifierKey(otherKey.vkey)];
    const codesAt = (size: number) => {
      const [order, findings] = [new SignerOrder(), new Findings()];
      order.take(4, [older]);
      order.take(9, [newer]);
      order.take(size, [older]);
      order.report(findings);
      return findings.list;
    };
    expect(codesAt(9)).toEqual([]);
    expect(codesAt(10)).toMatchObject([{ verdict: "wrong-key", code: "RETIRED_KEY" }]);
    expect(codesAt(10)[0]?.message).toContain(`not by ${newer.name}+${newer.keyId}`);
  });

  test("are needed: without them the earlier checkpoints cannot be checked", async () => {
    const draft = rotated(change);
    const report = await draft.verify({ retiredKeys: [], lastCheckpoint: log.checkpointAt(sizes[1] ?? 0) });
    expect(report.findings).toContainEqual(expect.objectContaining({ code: "CHECKPOINT_UNKNOWN_SIGNER" }));
  });
});
