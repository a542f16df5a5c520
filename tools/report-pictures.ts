/**
 * Takes the two pictures of a report that the documents show: its beginning in light colours, and a payment's path in dark
 * ones. Start it with `node --import tsx tools/report-pictures.ts REPORT.html`, after `npm start` with `cdktf.out/report.html`.
 */

import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { startBrowser } from "./browser";

const FOLDER = resolve(__dirname, "..", "docs", "pictures");
/** Small enough for a repository, and text in it can still be read. */
const QUALITY = 55;
const WIDTH = 900;

interface Picture {
  readonly name: string;
  readonly colorScheme: "light" | "dark";
  /** Where the picture begins. */
  readonly from: string;
  readonly height: number;
}

const PICTURES: readonly Picture[] = [
  { name: "report-verdict.jpg", colorScheme: "light", from: "header", height: 880 },
  { name: "report-payment.jpg", colorScheme: "dark", from: "#story", height: 1090 },
];

async function takePictures(report: string): Promise<void> {
  const browser = await startBrowser();
  for (const { name, colorScheme, from, height } of PICTURES) {
    const context = await browser.newContext({ colorScheme, viewport: { width: WIDTH, height } });
    const page = await context.newPage();
    await page.goto(pathToFileURL(resolve(report)).href);
    await page.waitForFunction('document.querySelector("#check-list li") !== null');
    const top = (await page.locator(from).boundingBox())?.y ?? 0;
    const clip = { x: 0, y: top, width: WIDTH, height };
    await page.screenshot({ path: join(FOLDER, name), type: "jpeg", quality: QUALITY, fullPage: true, clip });
    await context.close();
    console.log(`docs/pictures/${name}`);
  }
  await browser.close();
}

if (require.main === module) {
  const [report] = process.argv.slice(2);
  if (report === undefined) throw new Error("Name the report: node --import tsx tools/report-pictures.ts REPORT.html");
  void takePictures(report);
}
