/** What `payledger demo` prints of a job and what it writes. The job itself is run by `local/main-job.test.ts`. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { PAYLEDGER } from "../../cli/payledger";
import { main } from "../../evidence/commands/program";

let broken: readonly { readonly code: string }[] = [];
jest.mock("../../local/main-job", () => ({
  mainJob: async () => ({ invariants: { broken: () => broken, holding: () => [] }, proven: { page: "" } }),
}));
jest.mock("../../local/main-job/report", () => ({ jobReportText: () => "every figure", REPORT_FILE: "report.txt" }));
jest.mock("../../local/main-job/summary", () => ({ summaryText: () => "the summary" }));

const folder = mkdtempSync(path.join(tmpdir(), "payledger-demo-"));
afterAll(() => rmSync(folder, { recursive: true }));

test.each<[what: string, words: readonly string[], promisesBroken: readonly string[], printed: string, code: number]>([
  ["the summary", [], [], "the summary", 0],
  ["every figure with --verbose", ["--verbose"], [], "every figure", 0],
  ["every figure when a promise is broken", [], ["SUMS_DIFFER"], "every figure", 1],
])(
  "prints %s, and writes every figure to the folder in any case",
  async (_what, words, promisesBroken, printed, code) => {
    broken = promisesBroken.map((each) => ({ code: each }));
    const print = jest.spyOn(console, "log").mockImplementation();
    const tell = jest.spyOn(console, "error").mockImplementation();
    await main(PAYLEDGER, ["demo", "--out", folder, ...words]);
    const lines = print.mock.calls.flat();
    const told = tell.mock.calls.flat();
    print.mockRestore();
    tell.mockRestore();
    expect(lines.at(-1)).toBe(printed);
    expect(told).toEqual(promisesBroken.map((each) => expect.stringContaining(`The job failed: ${each}.`)));
    expect(process.exitCode ?? 0).toBe(code);
    process.exitCode = 0;
    expect(readFileSync(path.join(folder, "report.txt"), "utf8")).toBe("every figure");
  },
);
