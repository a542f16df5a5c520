import { createHash, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { checkpointText, parseCheckpoint, textOfCheckpoint } from "../../../evidence/log/checkpoint";
import {
  checkSignatures,
  cosignatureTime,
  isSignedBy,
  NOTE_ERRORS,
  NoteError,
  parseNote,
  parseSignatureLine,
  parseVerifierKey,
  signatureLine,
  strictBase64,
} from "../../../evidence/log/note";
import { anyCharacter } from "../../support/any-character";
import { logKey } from "../../support/naive-log";

/** The example of C2SP signed-note. */
const VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const NOTE = `This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`;
/** The example of C2SP tlog-checkpoint, with the cosignature of tlog-cosignature. */
const CHECKPOINT = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
`;

const bytes = (text: string) => Buffer.from(text);
const line = NOTE.split("\n")[2] ?? "";

describe("notes", () => {
  test("the specification's example verifies under its key", () => {
    const note = parseNote(bytes(NOTE));
    expect(note.text).toBe("This is an example message.\n");
    const key = parseVerifierKey(VKEY);
    expect(checkSignatures(note, [key])).toEqual({ good: [key], bad: [] });
    expect(note.signatures.map(signatureLine).join("")).toBe(`${line}\n`);
  });

  test("its text may hold empty lines; the last one is before the signatures", () => {
    expect(parseNote(bytes(`a\n\nb\n\n${line}\n`)).text).toBe("a\n\nb\n");
  });

  const signature = Buffer.alloc(68, 7).toString("base64");
  test.each([
    ["no text", ""],
    ["no empty line", `text\n${line}\n`],
    ["no signature", "text\n\n"],
    ["no newline at its end", `text\n\n${line}`],
    ["another character for the newline at its end", `text\n\n${line}x`],
    ["something behind its signatures", `text\n\n${line}\nmore\n`],
    ["a control character", `te\u0001xt\n\n${line}\n`],
    ["a tab", `te\txt\n\n${line}\n`],
    ["a carriage return", `text\r\n\n${line}\n`],
    ["a hyphen for the dash", `text\n\n${line.replace("—", "-")}\n`],
    ["two spaces", `text\n\n— a  ${signature}\n`],
    ["a plus in the name", `text\n\n— a+b ${signature}\n`],
    ["a space of Unicode in the name", `text\n\n— a\u2003b ${signature}\n`],
    ["a next-line character in the name", `text\n\n— a\u0085b ${signature}\n`],
    ["no name", `text\n\n—  ${signature}\n`],
    ["a signature that is no base64", "text\n\n— a !!!!\n"],
    ["a signature without its padding", `text\n\n— a ${signature.replace("=", "")}\n`],
    ["a signature in base64url", `text\n\n— a ${Buffer.alloc(66, 255).toString("base64url")}\n`],
    ["unused bits in its base64", `text\n\n— a ${signature.replace(/.=$/, "9=")}\n`],
    ["a word behind the signature", `text\n\n— a ${signature} more\n`],
    ["a space behind the signature", `text\n\n— a ${signature} \n`],
    ["a key id alone", `text\n\n— a ${Buffer.alloc(4).toString("base64")}\n`],
    ["too many signatures", `text\n\n${`${line}\n`.repeat(101)}`],
    ["too many bytes", `${"x".repeat(1024 * 1024)}\n\n${line}\n`],
  ])("with %s is refused", (_name, text) => {
    expect(() => parseNote(bytes(text))).toThrow(expect.objectContaining({ code: "NOT_A_NOTE" }));
  });

  test("that are not UTF-8, or begin with a byte order mark, are not read otherwise", () => {
    expect(() => parseNote(Buffer.from([0xff, 0x0a, 0x0a]))).toThrow(NoteError);
    expect(parseNote(bytes(`\ufeff${NOTE}`)).text.startsWith("\ufeff")).toBe(true);
  });

  test("a hundred signatures are taken, and a note of a mebibyte", () => {
    expect(parseNote(bytes(`text\n\n${`${line}\n`.repeat(100)}`)).signatures).toHaveLength(100);
    const end = `\n\n${line}\n`;
    const text = "x".repeat(1024 * 1024 - bytes(end).length);
    expect(parseNote(bytes(`${text}${end}`)).text).toBe(`${text}\n`);
  });

  test("whatever is read, nothing but a NoteError is thrown", () => {
    const near = fc.record({
      at: fc.nat(NOTE.length),
      put: fc.string({ unit: anyCharacter, maxLength: 4 }),
      cut: fc.nat(6),
    });
    const texts = fc.oneof(
      fc.string({ unit: anyCharacter }).map(bytes),
      fc.uint8Array().map((each) => Buffer.from(each)),
      near.map(({ at, put, cut }) => bytes(NOTE.slice(0, at) + put + NOTE.slice(at + cut))),
      near.map(({ at, put, cut }) => bytes(CHECKPOINT.slice(0, at) + put + CHECKPOINT.slice(at + cut))),
    );
    const keys = [
      parseVerifierKey(VKEY),
      ...["ed25519", "cosignature"].map((type) => parseVerifierKey(logKey("x", type as "ed25519").vkey)),
    ];
    fc.assert(
      fc.property(texts, (text) => {
        for (const parse of [parseNote, parseCheckpoint]) {
          try {
            const parsed = parse(text);
            const note = "note" in parsed ? parsed.note : parsed;
            expect(checkSignatures(note, keys).good.length === 0 || note.text === "This is an example message.\n").toBe(
              true,
            );
            expect(`${note.text}\n${note.signatures.map(signatureLine).join("")}`).toBe(text.toString());
          } catch (error) {
            expect(error).toBeInstanceOf(NoteError);
            expect(NOTE_ERRORS).toContain((error as NoteError).code);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("verifier keys", () => {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const spki = publicKey.export({ format: "der", type: "spki" });
  const other = generateKeyPairSync("ec", { namedCurve: "secp384r1" }).publicKey.export({
    format: "der",
    type: "spki",
  });
  const vkeyOf = (name: string, type: number, key: Buffer, id?: string) => {
    const material = Buffer.concat([Buffer.from([type]), key]);
    const hashed = type === 2 ? key : Buffer.concat([Buffer.from(`${name}\n`), material]);
    const own = createHash("sha256").update(hashed).digest("hex").slice(0, 8);
    return `${name}+${id ?? own}+${material.toString("base64")}`;
  };

  test.each([
    [1, Buffer.alloc(32, 1), "ed25519"],
    [2, spki, "ecdsa-p256"],
    [4, Buffer.alloc(32, 1), "cosignature"],
  ] as const)("of type %s are read", (type, key, name) => {
    expect(parseVerifierKey(vkeyOf("log/x", type, key))).toMatchObject({ name: "log/x", type: name });
  });

  test.each([
    ["nothing", ""],
    ["no parts", "log"],
    ["a reserved type", vkeyOf("log", 3, Buffer.alloc(32))],
    ["a type that this verifier does not know", vkeyOf("log", 6, Buffer.alloc(1312))],
    ["a short Ed25519 key", vkeyOf("log", 1, Buffer.alloc(31))],
    ["a long cosignature key", vkeyOf("log", 4, Buffer.alloc(33))],
    ["a curve other than P-256", vkeyOf("log", 2, other)],
    ["bytes that are no key", vkeyOf("log", 2, Buffer.alloc(91, 5))],
    ["bytes behind its key", vkeyOf("log", 2, Buffer.concat([spki, Buffer.alloc(1)]))],
    ["the id of another name", vkeyOf("log", 1, Buffer.alloc(32), vkeyOf("gol", 1, Buffer.alloc(32)).split("+")[1])],
    ["an id in capitals", vkeyOf("log", 1, Buffer.alloc(32), "ABCDEF01")],
    ["a name with a space", vkeyOf("l og", 1, Buffer.alloc(32))],
    ["base64 without its padding", VKEY.replace("AekyeRrm", "AekyeRr")],
  ])("with %s are none", (_name, vkey) => {
    expect(() => parseVerifierKey(vkey)).toThrow(expect.objectContaining({ code: "NOT_A_VERIFIER_KEY" }));
  });

  test("whatever is read, nothing but a NoteError is thrown", () => {
    const texts = fc.oneof(
      fc.string(),
      fc.tuple(fc.string(), fc.stringMatching(/^[0-9a-f]{8}$/), fc.base64String()).map((parts) => parts.join("+")),
      fc
        .tuple(fc.nat(VKEY.length), fc.string({ maxLength: 3 }))
        .map(([at, put]) => VKEY.slice(0, at) + put + VKEY.slice(at + 1)),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          expect(parseVerifierKey(text).vkey).toBe(text);
        } catch (error) {
          expect(error).toBeInstanceOf(NoteError);
        }
      }),
    );
  });
});

describe("signatures", () => {
  const keys = [logKey("a"), logKey("", "ecdsa"), logKey("w", "cosignature", "witness.example/w")];

  test.each(keys.map((key, index) => [index, key] as const))("of key %s hold for their text only", (_index, key) => {
    const signature = parseSignatureLine(key.sign("text\n").trimEnd());
    const verifier = parseVerifierKey(key.vkey);
    expect(isSignedBy(verifier, "text\n", signature)).toBe(true);
    expect(isSignedBy(verifier, "texT\n", signature)).toBe(false);
    expect(isSignedBy(verifier, "text\n", { ...signature, name: "other" })).toBe(false);
    expect(isSignedBy(verifier, "text\n", { ...signature, keyId: "00000000" })).toBe(false);
    for (let at = 0; at < signature.signature.length; at += 3) {
      const changed = Buffer.from(signature.signature);
      changed[at] = (changed[at] ?? 0) ^ 4;
      expect(isSignedBy(verifier, "text\n", { ...signature, signature: changed })).toBe(false);
    }
    for (const length of [0, 1, 8, 63, 64, 65, 72, 200]) {
      expect(isSignedBy(verifier, "text\n", { ...signature, signature: Buffer.alloc(length) })).toBe(false);
    }
  });

  test("the cosignature of the specification's example says when", () => {
    const { note, size } = parseCheckpoint(bytes(CHECKPOINT));
    expect(size).toBe(20852163);
    expect(cosignatureTime(note.signatures[1]?.signature ?? Buffer.alloc(0))).toBe(1679315147n);
    const beyond = Buffer.concat([Buffer.from([0x80]), Buffer.alloc(71)]);
    expect(cosignatureTime(beyond)).toBeUndefined();
  });

  test("a signature of an unknown key is ignored, and a bad one of a known key is reported", () => {
    const [ed25519, , witness] = keys.map(({ vkey }) => parseVerifierKey(vkey));
    const note = parseNote(
      bytes(`text\n\n${keys[0]?.sign("text\n")}${keys[1]?.sign("text\n")}${keys[2]?.sign("other\n")}`),
    );
    if (ed25519 === undefined || witness === undefined) throw new Error("There are three keys.");
    expect(checkSignatures(note, [ed25519])).toEqual({ good: [ed25519], bad: [] });
    expect(checkSignatures(note, [ed25519, witness])).toEqual({ good: [ed25519], bad: [witness] });
  });
});

describe("checkpoints", () => {
  const root = Buffer.alloc(32, 3).toString("base64");
  const checkpoint = (body: string) => bytes(`${body}\n${line}\n`);

  test("have the same text with one signature or with two; other bytes have no text", () => {
    const text = checkpointText("log", 7, Buffer.alloc(32, 3));
    expect(textOfCheckpoint(checkpoint(text))).toBe(text);
    expect(textOfCheckpoint(bytes(`${text}\n${line}\n${line}\n`))).toBe(text);
    expect(textOfCheckpoint(checkpoint(`${text}more\n`))).toBeUndefined();
    expect(textOfCheckpoint(bytes(text))).toBeUndefined();
  });

  test("are read as they are written", () => {
    const {
      origin,
      size,
      root: hash,
      extensions,
    } = parseCheckpoint(checkpoint(checkpointText("log", 7, Buffer.alloc(32, 3))));
    expect([origin, size, hash.toString("base64"), extensions]).toEqual(["log", 7, root, []]);
    expect(parseCheckpoint(checkpoint(`log\n0\n${root}\nmore\n`)).extensions).toEqual(["more"]);
  });

  test.each([
    ["an empty origin", `\n7\n${root}\n`],
    ["a leading zero", `log\n07\n${root}\n`],
    ["a sign", `log\n+7\n${root}\n`],
    ["a fraction", `log\n7.0\n${root}\n`],
    ["a size beyond 2^53", `log\n9007199254740993\n${root}\n`],
    ["no size", `log\n${root}\n`],
    ["a short root", `log\n7\n${Buffer.alloc(31).toString("base64")}\n`],
    ["a root in hex", `log\n7\n${"ab".repeat(32)}\n`],
    ["no root", "log\n7\n"],
    ["an empty further line", `log\n7\n${root}\n\nmore\n`],
  ])("with %s are none", (_name, body) => {
    expect(() => parseCheckpoint(checkpoint(body))).toThrow(expect.objectContaining({ code: "NOT_A_CHECKPOINT" }));
  });
});

test("base64 has one text for its bytes", () => {
  expect(strictBase64("AAAA")).toEqual(Buffer.alloc(3));
  for (const text of ["", "AAA", "AAA=A", "AAAA\n", "AA-_", "AB=="]) expect(strictBase64(text)).toBeUndefined();
});
