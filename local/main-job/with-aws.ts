/** Whatever happens to the job (success, failure, Ctrl-C), the embedded AWS that it started ends with it. */

import { type EmbeddedAws, startEmbeddedAws } from "../embedded-aws";

const SIGNAL_EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type Signal = keyof typeof SIGNAL_EXIT_CODES;

/**
 * @param work gets the start as a promise, so that it can do something else in the meantime.
 * @param say told once where the Python packages are being installed, and when a signal ends the job.
 */
export async function withAws<Result>(
  work: (starting: Promise<EmbeddedAws>) => Promise<Result>,
  say: (message: string) => void,
): Promise<Result> {
  const starting = startEmbeddedAws({ onInstall: say });
  // Nobody awaits it while the stacks are synthesized: an early failure is thrown where it is awaited later.
  starting.catch(() => undefined);
  const stop = async () => (await starting.catch(() => undefined))?.stop();
  const interrupted = (signal: Signal) => {
    say(`${signal}: stopping the embedded AWS`);
    void stop().finally(() => process.exit(SIGNAL_EXIT_CODES[signal]));
  };
  const signals = Object.keys(SIGNAL_EXIT_CODES) as Signal[];
  for (const signal of signals) process.once(signal, interrupted);
  try {
    return await work(starting);
  } finally {
    await stop();
    for (const signal of signals) process.removeListener(signal, interrupted);
  }
}
