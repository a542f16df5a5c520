import { readFileSync } from "node:fs";
import { DASHBOARD_FILE, dashboardCharts, dashboardSvg } from "../../tools/dashboard-picture";
import { tableUnder } from "../support/documents";

const charts = dashboardCharts();

test("the picture is that of the stacks; otherwise run tools/dashboard-picture.ts", () => {
  expect(dashboardSvg(charts)).toBe(readFileSync(DASHBOARD_FILE, "utf8"));
});

test("architecture.md explains each chart, in the order of the dashboard", () => {
  const rows = tableUnder("docs/architecture.md", "The dashboard");
  expect(rows.map(([title]) => title)).toEqual(charts.map(({ title }) => title));
  expect(charts).toHaveLength(17);
  expect(charts.every(({ curves, metric }) => curves > 0 && metric !== "")).toBe(true);
});
