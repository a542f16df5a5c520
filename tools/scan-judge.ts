/** Compares a scanner's reports with the reviewed exceptions. Pure, so that each way to fail is a test. */

import { relative } from "node:path";

/** Far below what passes today; a scan that read nothing passes nothing. */
const PASSED_CHECKS_MIN = 300;

interface CheckResult {
  readonly check_id: string;
  readonly check_name: string;
  readonly resource: string;
  readonly file_path: string;
}

/** In Checkov's form. */
export interface ScanResults {
  readonly passed_checks: readonly CheckResult[];
  readonly failed_checks: readonly CheckResult[];
  readonly parsing_errors: readonly string[];
}

export interface ScanReport extends ScanResults {
  readonly environment: string;
}

export interface Exception {
  readonly check: string;
  /** As the scanner names it; `*` matches any characters. */
  readonly resource: string;
  /** Without one, the exception applies to every environment. */
  readonly environment?: string;
  readonly reason: string;
}

export interface ScanVerdict {
  readonly passed: number;
  readonly excepted: number;
  readonly problems: readonly string[];
}

/** @param exceptionsFile for the messages. */
export function judge(
  reports: readonly ScanReport[],
  exceptions: readonly Exception[],
  exceptionsFile: string,
): ScanVerdict {
  const used = new Set<Exception>();
  const problems: string[] = [];
  let [passed, excepted] = [0, 0];
  for (const report of reports) {
    const { environment } = report;
    passed += report.passed_checks.length;
    for (const failure of report.failed_checks) {
      const exception = exceptions.find((candidate) => covers(candidate, failure, environment));
      if (exception === undefined) {
        problems.push(
          `${environment}${failure.file_path} ${failure.resource}: ${failure.check_id} ${failure.check_name}. ` +
            `Mend the stack, or add a reviewed exception with its reason to ${exceptionsFile}.`,
        );
      } else {
        used.add(exception);
        excepted += 1;
      }
    }
    if (report.passed_checks.length < PASSED_CHECKS_MIN) {
      problems.push(
        `${environment}: only ${report.passed_checks.length} checks passed, ${PASSED_CHECKS_MIN} or more must. The scanner has not read the stacks.`,
      );
    }
    problems.push(...report.parsing_errors.map((file) => `${environment}: the scanner cannot parse ${file}.`));
  }
  for (const { check, resource } of exceptions.filter(({ reason }) => reason.trim() === "")) {
    problems.push(`The exception ${check} for ${resource} has no reason.`);
  }
  for (const { check, resource } of exceptions.filter((exception) => !used.has(exception))) {
    problems.push(`The exception ${check} for ${resource} is stale: nothing fails there any more. Take it out.`);
  }
  return { passed, excepted, problems };
}

function covers(exception: Exception, failure: CheckResult, environment: string): boolean {
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pattern = exception.resource.split("*").map(literal).join(".*");
  return (
    exception.check === failure.check_id &&
    (exception.environment ?? environment) === environment &&
    new RegExp(`^${pattern}$`).test(failure.resource)
  );
}

interface TfsecResult {
  readonly long_id: string;
  readonly description: string;
  readonly rule_description: string;
  readonly resource: string;
  readonly location: { readonly filename: string };
  /** 0 failed, 1 passed. */
  readonly status: number;
}

/** tfsec refuses what it cannot parse, so a report has no parsing errors. */
export function tfsecResults(report: string, outdir: string): ScanResults {
  const { results } = JSON.parse(report) as { results: TfsecResult[] | null };
  const checks = (status: number) =>
    (results ?? [])
      .filter((result) => result.status === status)
      .map((result) => ({
        check_id: result.long_id,
        check_name: result.description || result.rule_description,
        resource: result.resource,
        file_path: `/${relative(outdir, result.location.filename)}`,
      }));
  return { passed_checks: checks(1), failed_checks: checks(0), parsing_errors: [] };
}
