/** Holds Checkov's reports against the reviewed exceptions. Pure, so that each way to fail is a test. */

/** Far below what passes today; a scan that read nothing passes nothing. */
const PASSED_CHECKS_MIN = 300;

interface CheckResult {
  readonly check_id: string;
  readonly check_name: string;
  readonly resource: string;
  readonly file_path: string;
}

export interface CheckovReport {
  readonly environment: string;
  readonly passed_checks: readonly CheckResult[];
  readonly failed_checks: readonly CheckResult[];
  readonly parsing_errors: readonly string[];
}

export interface Exception {
  readonly check: string;
  /** As Checkov names it; `*` stands for any characters. */
  readonly resource: string;
  /** Holds in every environment when it is left out. */
  readonly environment?: string;
  readonly reason: string;
}

export interface CheckovVerdict {
  readonly passed: number;
  readonly excepted: number;
  readonly problems: readonly string[];
}

export function judge(reports: readonly CheckovReport[], exceptions: readonly Exception[]): CheckovVerdict {
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
            "Mend the stack, or add a reviewed exception with its reason to tools/checkov-exceptions.json.",
        );
      } else {
        used.add(exception);
        excepted += 1;
      }
    }
    if (report.passed_checks.length < PASSED_CHECKS_MIN) {
      problems.push(
        `${environment}: only ${report.passed_checks.length} checks passed, ${PASSED_CHECKS_MIN} or more must. Checkov has not read the stacks.`,
      );
    }
    problems.push(...report.parsing_errors.map((file) => `${environment}: Checkov cannot parse ${file}.`));
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
