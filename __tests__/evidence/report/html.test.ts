import fc from "fast-check";
import { html, scriptJson, shown, visible } from "../../../evidence/report/html";
import { anyCharacter } from "../../support/any-character";

/** Of what breaks out of markup most often, and of anything else. */
const hostile = fc.oneof(
  fc.string({ unit: anyCharacter }),
  fc
    .array(
      fc.constantFrom(
        "<",
        ">",
        '"',
        "'",
        "&",
        "</script>",
        "<!--",
        "-->",
        "]]>",
        "\u202e",
        "\u00a0",
        "\r\n",
        "\ud800",
        "x",
      ),
    )
    .map((parts) => parts.join("")),
);

test("no value becomes markup, in text or in an attribute", () => {
  fc.assert(
    fc.property(hostile, hostile, (attribute, text) => {
      const { text: page } = html`<p title="${attribute}">${text}</p>`;
      const [, title = "x", inside = "x"] = /^<p title="([^"<>]*)">([^<>]*)<\/p>$/.exec(page) ?? [];
      for (const part of [title, inside]) expect(part).not.toMatch(/&(?!amp;|lt;|gt;|quot;|nbsp;)/);
    }),
  );
});

test("what a browser reads back is the value, with its invisible characters written out", () => {
  const read = (text: string) =>
    text.replaceAll("&nbsp;", "\u00a0").replaceAll("&gt;", ">").replaceAll("&lt;", "<").replaceAll("&amp;", "&");
  fc.assert(
    fc.property(hostile, (text) => {
      expect(read(html`${text}`.text)).toBe(visible(text));
      expect(visible(visible(text))).toBe(visible(text));
    }),
  );
  expect(visible("a\u202eb\u0000\ud800")).toBe("a[U+202E]b[U+0000][U+D800]");
});

test("markup is taken from `html` alone; nothing is written for what is absent", () => {
  expect(html`<ul>${["a", "<b>"].map((each) => html`<li>${each}</li>`)}${undefined}${false}${1}</ul>`.text).toBe(
    "<ul><li>a</li><li>&lt;b&gt;</li>1</ul>",
  );
});

test("JSON in a script element neither ends it nor changes", () => {
  fc.assert(
    fc.property(fc.dictionary(hostile, hostile), (value) => {
      const text = scriptJson(value);
      expect(text).not.toMatch(/[<>&\u2028\u2029]/);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("a long text is cut, and says how long it is", () => {
  expect(shown("x".repeat(300))).toHaveLength(300);
  expect(shown("😀".repeat(301))).toBe(`${"😀".repeat(300)}… (301 characters)`);
});
