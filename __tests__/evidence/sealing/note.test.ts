import { createPublicKey, verify } from "node:crypto";
import { checkpointText, parseCheckpoint, parseOwnCheckpoint } from "../../../evidence/log/checkpoint";
import {
  ECDSA_P256,
  ED25519,
  encodeNote,
  encodeSignatureLine,
  encodeVerifierKey,
  type NoteKey,
  noteKeyId,
} from "../../../evidence/sealing/note";
import { checkpointSigners } from "../../../evidence/sealing/signers";
import { FakeAws } from "./fake-aws";
import { naiveCheckpoint, naiveVerify } from "./naive-log";

/** The example of C2SP signed-note. */
const EXAMPLE_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const EXAMPLE_TEXT = "This is an example message.\n";
const EXAMPLE_LINE =
  "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
const EXAMPLE_KEY: NoteKey = {
  name: "example.com/foo",
  type: ED25519,
  material: Buffer.from("AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "base64").subarray(1),
};

test("the specification's example: verifier key, key id, and its signature line", () => {
  expect(encodeVerifierKey(EXAMPLE_KEY)).toBe(EXAMPLE_VKEY);
  expect(noteKeyId(EXAMPLE_KEY).toString("hex")).toBe("530d903a");
  const signature = Buffer.from(EXAMPLE_LINE.split(" ")[2] ?? "", "base64").subarray(4);
  expect(encodeSignatureLine(EXAMPLE_KEY, signature)).toBe(EXAMPLE_LINE);
  const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), EXAMPLE_KEY.material]);
  const key = createPublicKey({ key: spki, format: "der", type: "spki" });
  expect(verify(null, Buffer.from(EXAMPLE_TEXT), key, signature)).toBe(true);
  expect(encodeNote(EXAMPLE_TEXT, [EXAMPLE_LINE])).toBe(`${EXAMPLE_TEXT}\n${EXAMPLE_LINE}`);
});

/** The example of C2SP tlog-checkpoint. */
const CHECKPOINT =
  "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n" +
  "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";

test("the specification's checkpoint is written and read", () => {
  const { note, origin, size, root } = parseCheckpoint(Buffer.from(CHECKPOINT));
  expect({ origin, size }).toEqual({ origin: "example.com/behind-the-sofa", size: 20852163 });
  expect(checkpointText(origin, size, root)).toBe(note.text);
  expect(note.signatures).toMatchObject([{ name: "example.com/behind-the-sofa", keyId: "033de0ae" }]);
  expect(parseCheckpoint(Buffer.from(CHECKPOINT.replace("20852163", "0"))).size).toBe(0);
});

test.each([
  ["nothing", ""],
  ["no signature", CHECKPOINT.split("\n\n")[0] ?? ""],
  ["a leading zero", CHECKPOINT.replace("20852163", "020852163")],
  ["a size that no number holds", CHECKPOINT.replace("20852163", "9".repeat(20))],
  ["a root that is too short", CHECKPOINT.replace("q2I=", "=")],
  ["a root with unused bits", CHECKPOINT.replace("q2I=", "q2J=")],
  ["a signature that is not canonical base64", CHECKPOINT.replace("YQ8=", "YQ9=")],
  ["a control character in the origin", CHECKPOINT.replace("example.com/behind", "example.com/\u0007behind")],
  ["an extension line", CHECKPOINT.replace("q2I=\n", "q2I=\nextra\n")],
  ["no last newline", CHECKPOINT.trimEnd()],
  ["text after the signatures", `${CHECKPOINT}more\n`],
  ["a carriage return", CHECKPOINT.replaceAll("\n", "\r\n")],
])("what the sealer never writes is not taken for its checkpoint: %s", (_what, note) => {
  expect(parseOwnCheckpoint(Buffer.from(note))).toEqual(expect.any(String));
});

const ORIGIN = "payment-ledger/us-east-1/111122223333/test";
const TEXT = checkpointText(ORIGIN, 3, Buffer.alloc(32, 7));

test.each([
  ["ECC_NIST_EDWARDS25519", ED25519],
  ["ECC_NIST_P256", ECDSA_P256],
] as const)("a key of KMS signs: %s", async (spec, type) => {
  const aws = new FakeAws();
  const [signer] = await checkpointSigners(aws.clients().kms, [aws.createKey(spec)], ORIGIN)();
  if (signer === undefined) throw new Error("There is no signer.");
  const note = encodeNote(TEXT, [await signer.sign(TEXT)]);
  expect(naiveVerify(naiveCheckpoint(note), signer.verifierKey)).toBe(true);
  expect(Buffer.from(signer.verifierKey.split("+").slice(2).join("+"), "base64")[0]).toBe(type);
  const read = parseCheckpoint(Buffer.from(note));
  const withNote = (more: Partial<typeof read.note>) => ({ ...read, note: { ...read.note, ...more } });
  expect(signer.hasSigned(read)).toBe(true);
  expect(signer.hasSigned(withNote({ text: read.note.text.replace("3\n", "4\n") }))).toBe(false);
  expect(signer.hasSigned(withNote({ signatures: [] }))).toBe(false);
  const renamed = read.note.signatures.map((signature) => ({ ...signature, name: "another/log" }));
  expect(signer.hasSigned(withNote({ signatures: renamed }))).toBe(false);
});

test("the id of an ECDSA key is of the key alone, that of an Ed25519 key of its name too", () => {
  const material = Buffer.alloc(32, 1);
  const ids = (type: typeof ED25519 | typeof ECDSA_P256) =>
    ["a", "b"].map((name) => noteKeyId({ name, type, material }).toString("hex"));
  expect(new Set(ids(ED25519)).size).toBe(2);
  expect(new Set(ids(ECDSA_P256)).size).toBe(1);
});
