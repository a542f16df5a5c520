/**
 * Two sealers race over the same changes, each killed at random AWS calls and started again, round after round; after
 * each round the whole log is recomputed from the evidence by code that is not the sealer's.
 * `npm run soak:seal-race [-- rounds [first seed]]`.
 */

import { checkLog, type Expected, playRound } from "../../__tests__/evidence/sealing/race";
import { fakeWorld } from "../../__tests__/evidence/sealing/worlds";

const ROUNDS = Number(process.argv[2] ?? 200);
const FIRST_SEED = Number(process.argv[3] ?? 1);
/** Some rounds begin with an empty log, the others go on with one. */
const ROUNDS_PER_LOG = 5;

async function main(): Promise<void> {
  const total = { changes: 0, kills: 0, calls: 0, entries: 0, repeats: 0, heartbeats: 0, checkpoints: 0 };
  const startedAt = Date.now();
  for (let done = 0; done < ROUNDS; ) {
    const world = fakeWorld();
    const expected: Expected = { entries: [] };
    for (let round = 0; round < ROUNDS_PER_LOG && done < ROUNDS; round++, done++) {
      const seed = FIRST_SEED + done;
      const played = await playRound(world, expected, seed);
      for (const name of ["changes", "kills", "calls"] as const) total[name] += played[name];
      // Throws with the first thing that does not hold; the seed repeats the round.
      const checked = await checkLog(world, expected).catch((error: Error) => {
        throw new Error(`Round with seed ${seed}: ${error.message}`);
      });
      if (round < ROUNDS_PER_LOG - 1 && done < ROUNDS - 1) continue;
      for (const name of ["entries", "repeats", "heartbeats", "checkpoints"] as const) total[name] += checked[name];
    }
  }
  const text = (count: number) => count.toLocaleString("en");
  console.log(
    `${text(ROUNDS)} rounds, ${text(total.kills)} kills in ${text(total.calls)} AWS calls, ${text(total.changes)} changes, ` +
      `${text(total.entries)} entries (${text(total.repeats)} repeats, ${text(total.heartbeats)} heartbeats), ` +
      `${text(total.checkpoints)} checkpoints, forks=0, unsealed=0; ${((Date.now() - startedAt) / 1000).toFixed(1)} s`,
  );
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
