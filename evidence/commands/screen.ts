/** The terminal of this process: colours and the progress bar, where somebody watches. */

import { styleText } from "node:util";

type Stream = Pick<NodeJS.WriteStream, "isTTY">;
type Style = Parameters<typeof styleText>[0];

/** Colour on a terminal only, and never with NO_COLOR (no-color.org) or a terminal that has none. */
export function painter(stream: Stream, variables: NodeJS.ProcessEnv = process.env) {
  const isColoured = stream.isTTY === true && !variables["NO_COLOR"] && variables["TERM"] !== "dumb";
  return (style: Style, text: string): string =>
    isColoured ? styleText(style, text, { validateStream: false }) : text;
}

const BAR_WIDTH = 30;
const BAR_EVERY_MS = 100;

/** Draws over itself, and is gone when it ends. */
export function progressBar(write: (text: string) => void, now: () => number = Date.now) {
  let last = Number.NEGATIVE_INFINITY;
  let isShown = false;
  return {
    show: (done: number, total: number, what: string) => {
      const isDue = now() - last >= BAR_EVERY_MS || done === total;
      if (!isDue) return;
      last = now();
      isShown = true;
      const part = total > 0 ? Math.min(done / total, 1) : 0;
      const bar = "#".repeat(Math.round(part * BAR_WIDTH)).padEnd(BAR_WIDTH, ".");
      write(`\r\u001b[K[${bar}] ${String(Math.floor(part * 100)).padStart(3)}% ${done} of ${total} ${what}`);
    },
    end: () => {
      if (isShown) write("\r\u001b[K");
    },
  };
}

const LINE_EVERY_MS = 10_000;

/** Where no terminal is: a plain line every ten seconds, so that a log shows life and is not filled. */
export function progressLines(tell: (text: string) => void, now: () => number = Date.now) {
  let last = now();
  return (done: number, total: number, what: string) => {
    if (now() - last < LINE_EVERY_MS) return;
    last = now();
    tell(`${done} of ${total} ${what}`);
  };
}
