/** Shows what is going on: one line that rewrites itself on a terminal, plain lines elsewhere. */

/** Where no terminal is, a line every ten seconds shows life. */
const LINE_EVERY_MS = 10_000;

export class Progress {
  private startedAtMs = 0;
  private shownAtMs = 0;
  private title = "";

  constructor(
    private readonly out: NodeJS.WriteStream = process.stdout,
    private readonly isTerminal = out.isTTY,
  ) {}

  begin(title: string): void {
    this.title = title;
    this.startedAtMs = Date.now();
    this.shownAtMs = this.startedAtMs;
    if (this.isTerminal) this.out.write(`  ${title} ...`);
  }

  update(done: number, total: number): void {
    const text = `  ${this.title}: ${number(done)} of ${number(total)}`;
    if (this.isTerminal) {
      this.out.write(`\r\u001b[K${text}`);
      return;
    }
    if (Date.now() - this.shownAtMs < LINE_EVERY_MS) return;
    this.shownAtMs = Date.now();
    this.out.write(`${text}\n`);
  }

  end(summary: string): void {
    const seconds = ((Date.now() - this.startedAtMs) / 1000).toFixed(1);
    this.out.write(`${this.isTerminal ? "\r\u001b[K" : ""}  ${this.title}: ${summary} (${seconds} s)\n`);
  }
}

export function number(value: number): string {
  return value.toLocaleString("en-US");
}
