/**
 * Draws the CloudWatch dashboard as it is laid out, from the synthesized stacks, into `docs/pictures/dashboard.svg`: its
 * curves need an account, its charts do not. Start it with `node --import tsx tools/dashboard-picture.ts`.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Artifacts, buildApp } from "../stacks/build-app";
import { loadConfig } from "../stacks/config/load";

export const DASHBOARD_FILE = resolve(__dirname, "..", "docs", "pictures", "dashboard.svg");

export interface Chart {
  readonly title: string;
  readonly statistic: string;
  readonly metric: string;
  readonly curves: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const STAND_INS: Artifacts = {
  handlerCode: () => ({ zip: __filename, sha256: "0".repeat(64) }),
  auditorKit: { directory: __dirname, sha256: "0".repeat(64) },
};

/** In the dashboard's own grid of 24 columns. */
export function dashboardCharts(): Chart[] {
  const outdir = mkdtempSync(join(tmpdir(), "payment-ledger-dashboard-"));
  try {
    buildApp(loadConfig(), STAND_INS, outdir).synth();
    const stack = JSON.parse(readFileSync(join(outdir, "stacks", "functions", "cdk.tf.json"), "utf8")) as Stack;
    const [dashboard] = Object.values(stack.resource.aws_cloudwatch_dashboard);
    return chartsIn(dashboard?.dashboard_body ?? "");
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

interface Stack {
  readonly resource: { readonly aws_cloudwatch_dashboard: Record<string, { readonly dashboard_body: string }> };
}

/** @param body the Terraform expression of it: HCL objects, each with its members sorted as they were given. */
function chartsIn(body: string): Chart[] {
  const widgets = body.split('"type" = "metric"').slice(1);
  return widgets.map((widget) => {
    const text = (name: string) => new RegExp(`"${name}" = "([^"]*)"`).exec(widget)?.[1] ?? "";
    const place = (name: string) => Number(new RegExp(`"${name}" = (\\d+)`).exec(widget)?.[1]);
    const metrics = [...widget.matchAll(/\["(?:AWS\/\w+|PaymentLedger)", "(\w+)"/g)].map(([, name = ""]) => name);
    return {
      ...{ title: text("title"), statistic: text("stat"), metric: metrics[0] ?? "", curves: metrics.length },
      ...{ x: place("x"), y: place("y"), width: place("width"), height: place("height") },
    };
  });
}

const UNIT = { x: 32, y: 13 };
const GAP = 4;

export function dashboardSvg(charts: readonly Chart[]): string {
  const width = 24 * UNIT.x;
  const height = Math.max(...charts.map((chart) => chart.y + chart.height)) * UNIT.y;
  const boxes = charts.map(({ title, statistic, metric, curves, ...place }) => {
    const [x, y] = [place.x * UNIT.x + GAP, place.y * UNIT.y + GAP];
    const [w, h] = [place.width * UNIT.x - 2 * GAP, place.height * UNIT.y - 2 * GAP];
    return `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="4" fill="#ffffff" stroke="#c9d1da"/>
<text x="${x + 10}" y="${y + 20}" font-size="14" font-weight="bold" fill="#1b2430">${title}</text>
<text x="${x + 10}" y="${y + 40}" font-size="12" fill="#4a5665">${metric}, ${statistic}, ${curves} ${curves === 1 ? "curve" : "curves"}</text>
<path d="M${x + 10} ${y + h - 12}H${x + w - 10}" stroke="#c9d1da"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" role="img"><title>The dashboard: ${charts.length} charts in two columns</title>
<rect width="${width}" height="${height}" fill="#f4f6f8"/>
${boxes.join("\n")}
</svg>
`;
}

if (require.main === module) {
  writeFileSync(DASHBOARD_FILE, dashboardSvg(dashboardCharts()));
  console.log("docs/pictures/dashboard.svg");
}
