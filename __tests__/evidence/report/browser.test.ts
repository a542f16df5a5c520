/** The report in a real browser: it checks itself, finds every change, loads nothing, and everybody can read it. */

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { startBrowser } from "../../../tools/browser";
import { paymentRow } from "../../support/stored-records";
import { IDENTITIES, ReportWorld, reportPage } from "./fixture";

const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

let browser: Browser;
let world: ReportWorld;
let page: string;

beforeAll(async () => {
  world = new ReportWorld((between) => {
    between.pay("PaymentLedger", "tampered-1");
    between.put("PaymentLedger", { ...paymentRow("tampered-1", between.now()), Amount: { S: "1.00" } }, "TAMPER");
  });
  browser = await startBrowser();
  page = reportPage(await world.model({}, { paymentId: "pay-3", identities: IDENTITIES }));
});
afterAll(async () => {
  await browser?.close();
  world.delete();
});

interface Opened {
  readonly tab: Page;
  readonly requests: readonly string[];
  readonly errors: readonly string[];
}

async function opened(text: string, colorScheme: "light" | "dark" = "light"): Promise<Opened> {
  const url = pathToFileURL(world.write("report.html", text)).href;
  const context = await browser.newContext({ colorScheme });
  const tab = await context.newPage();
  const [requests, errors]: [string[], string[]] = [[], []];
  tab.on("request", (request) => requests.push(request.url()));
  tab.on("console", (message) => errors.push(message.text()));
  tab.on("pageerror", (error) => errors.push(String(error)));
  await tab.goto(url);
  await tab.waitForTimeout(1);
  return { tab, requests: requests.filter((each) => each !== url), errors };
}

/** Waits for the check, whose first words tell how it ended. */
async function verdictOf({ tab }: Opened): Promise<string> {
  await tab.waitForFunction('!document.querySelector("#check-verdict").textContent.startsWith("NOT CHECKED: scripts")');
  return (await tab.textContent("#check-verdict")) ?? "";
}

async function verdictOfText(text: string): Promise<string> {
  const open = await opened(text);
  const verdict = await verdictOf(open);
  await open.tab.context().close();
  return verdict;
}

describe.each(["light", "dark"] as const)("in %s colours", (colorScheme) => {
  test("it is valid, loads nothing, says nothing to the console, and axe finds no fault", async () => {
    const open = await opened(page, colorScheme);
    expect(await verdictOf(open)).toMatch(/^VALID: .* \(8 checks in \d+ ms\)\.$/);
    expect(await open.tab.locator("#check-list li").allTextContents()).toEqual(
      Array.from({ length: 8 }, () => expect.stringMatching(/^Holds: /)),
    );
    expect(new Set(await open.tab.locator("[data-mark]").allTextContents())).toEqual(new Set(["proven"]));
    await open.tab.evaluate(AXE);
    const { violations, passes } = (await open.tab.evaluate("axe.run()")) as Record<string, { id: string }[]>;
    expect(violations).toEqual([]);
    expect(passes?.map(({ id }) => id)).toEqual(expect.arrayContaining(["color-contrast", "region", "heading-order"]));
    expect(open.requests).toEqual([]);
    expect(open.errors).toEqual([]);
    await open.tab.context().close();
  });
});

/** Replaces one occurrence, which must be there. */
function changed(text: string, what: string | RegExp, by: string): string {
  const after = text.replace(what, by);
  if (after === text) throw new Error(`There is no ${what} in the page.`);
  return after;
}

/** Changes the data of the check alone. */
function inData(change: (data: string) => string): (text: string) => string {
  return (text) => {
    const start = text.indexOf('id="report-evidence">');
    const end = text.indexOf("</script>", start);
    return `${text.slice(0, start)}${change(text.slice(start, end))}${text.slice(end)}`;
  };
}

describe("a changed file is not valid", () => {
  const flipped = (character: string) => (character === "A" ? "B" : "A");
  const flip = (after: RegExp) =>
    inData((data) => {
      const [found = ""] = after.exec(data) ?? [];
      return changed(data, after, `${found.slice(0, -1)}${flipped(found.at(-1) ?? "")}`);
    });

  test.each<[string, (text: string) => string]>([
    ["a record's amount", (text) => changed(text, '"Amount":{"S":"125.50"}', '"Amount":{"S":"125.51"}')],
    ["a record's ciphertext", flip(/"SecureToken":\{"B":"[A-Za-z0-9]{5}/)],
    ["an entry", (text) => changed(text, '\\"kind\\":\\"TAMPER\\"', '\\"kind\\":\\"RECORD\\"')],
    ["a hash of the paths", flip(/"hashes":\["[A-Za-z0-9]{3}/)],
    ["the number of an entry", (text) => changed(text, /"index":(\d)/, '"index":1$1')],
    ["the signature", flip(/\\n\\n— payment-ledger\S+ [A-Za-z0-9+/]{20}/)],
    ["the size in the checkpoint", inData((data) => changed(data, /("checkpoint":"[^\\]*\\n)(\d)/, "$19"))],
    ["the root in the checkpoint", flip(/"checkpoint":"[^\\]*\\n\d+\\n[A-Za-z0-9]/)],
    ["a key", flip(/"keys":\["payment-ledger[^"]*\+[0-9a-f]{8}\+[^"]{6}[A-Za-z0-9]/)],
    ["the summary for the next report", (text) => changed(text, '"records":', '"records":1')],
    ["the earlier checkpoint", flip(/"earlier":\{"checkpoint":"[^\\]*\\n\d+\\n[A-Za-z0-9]/)],
    ["an actor that is shown", (text) => changed(text, ">checkout-service</td>", ">checkout-servise</td>")],
    ["an amount that is shown", (text) => changed(text, ">125.50</dd>", ">125.51</dd>")],
    ["a hash that is drawn", (text) => changed(text, /(<text [^>]*data-text="">)[A-Za-z0-9]/, "$1.")],
    ["the root that is shown", (text) => changed(text, /(<dd class="hash" data-text="">)p/, "$1q")],
    ["the verdict that is shown", (text) => changed(text, '<p class="verdict">ALTERED', '<p class="verdict">OK')],
    ["a finding", (text) => changed(text, "RECORD_CHANGED</code>", "RECORD_CHANGE_</code>")],
    ["who called", (text) => changed(text, "<td>AROACFO:cfo</td>", "<td>AROACF0:cfo</td>")],
    [
      "how many records are contradicted",
      (text) => changed(text, "7 unattested, 1 contradicted", "7 unattested, 0 contradicted"),
    ],
    ["a day without a file", (text) => changed(text, /<tr><th scope="row">2025-11-20.*?<\/tr>/, "")],
    ["the colour of the verdict", (text) => changed(text, '<section class="panel bad"', '<section class="panel good"')],
    ["a row that is taken out", (text) => changed(text, /<tr class="alarm" data-proven.*?<\/tr>/, "")],
    ["data that are no JSON", (text) => changed(text, 'id="report-evidence">{', 'id="report-evidence">')],
    ["data in other words", (text) => changed(text, '"drawn":', '"drawn": ')],
  ])("%s", async (_, change) => {
    expect(await verdictOfText(change(page))).toMatch(/^NOT VALID: /);
  });

  test("a changed script does not run, and the page says that nothing was checked", async () => {
    const open = await opened(changed(page, "all of them hold", "all of them hald"));
    expect(await open.tab.textContent("#check-verdict")).toMatch(/^NOT CHECKED: scripts do not run here/);
    expect(open.errors.join()).toContain("Content Security Policy");
    await open.tab.context().close();
  });

  test("a change of an amount in every place but the log is found", async () => {
    const everywhere = page.replaceAll("125.50", "125.51");
    const open = await opened(everywhere);
    expect(await verdictOf(open)).toMatch(/^NOT VALID: /);
    const said = await open.tab.locator("#check-list li.bad").allTextContents();
    expect(said.join()).toContain("records in this file are those that the log sealed");
    await open.tab.context().close();
  });
});

test("without scripts everything can be read, and the page says that it was not checked", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const tab = await context.newPage();
  await tab.goto(pathToFileURL(world.write("report.html", page)).href);
  expect(await tab.textContent("#check-verdict")).toMatch(/^NOT CHECKED: scripts do not run here/);
  expect(await tab.locator("h2").count()).toBe(12);
  await context.close();
});

test.each([
  [
    "Ed25519",
    `const real = crypto.subtle.importKey.bind(crypto.subtle);
     crypto.subtle.importKey = (form, key, kind, ...rest) =>
       kind === "Ed25519" ? Promise.reject(new DOMException("no", "NotSupportedError")) : real(form, key, kind, ...rest);`,
  ],
  ["cryptography", 'Object.defineProperty(crypto, "subtle", { value: undefined });'],
])("a browser without %s says that it did not check, and calls nothing valid or changed", async (_, without) => {
  const context = await browser.newContext();
  await context.addInitScript(without);
  const tab = await context.newPage();
  await tab.goto(pathToFileURL(world.write("report.html", page)).href);
  expect(await verdictOf({ tab, requests: [], errors: [] })).toMatch(/^NOT CHECKED: this browser lacks/);
  expect(new Set(await tab.locator("[data-mark]").allTextContents())).toEqual(new Set(["not checked"]));
  await context.close();
});

test("the keyboard comes first to a link past the navigation, and reaches every table that scrolls", async () => {
  const open = await opened(page);
  await verdictOf(open);
  await open.tab.keyboard.press("Tab");
  expect(await open.tab.evaluate("document.activeElement.className")).toBe("skip");
  await open.tab.keyboard.press("Enter");
  expect(await open.tab.evaluate("document.activeElement.id")).toBe("main");
  const unreachable = '[...document.querySelectorAll(".scroll")].filter((each) => each.tabIndex !== 0).length';
  expect(await open.tab.evaluate(unreachable)).toBe(0);
  await open.tab.context().close();
});
