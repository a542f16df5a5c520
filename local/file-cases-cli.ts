/** `npm run cases [-- FOLDER]`: sends each file of the folder through the payment processor and prints what became of it. */

import "./sdk-warning";
import { existsSync } from "node:fs";
import path from "node:path";
import { startEmbeddedAws } from "./embedded-aws";
import { caseNames, differences, FileCases } from "./file-cases";

const OWN_FOLDER = path.join(__dirname, "..", "samples", "cases");

/** The exit code: 1 where a file differs from its expectation or could not be processed, 2 where there is nothing to run. */
async function main(folder = OWN_FOLDER): Promise<number> {
  const names = existsSync(folder) ? caseNames(folder) : [];
  if (names.length === 0) {
    console.error(`There is no payment file in ${folder}. Name a folder that holds some: npm run cases -- FOLDER`);
    return 2;
  }
  const aws = await startEmbeddedAws({ onInstall: (message) => console.error(message) });
  let failures = 0;
  try {
    const cases = await FileCases.start(aws);
    for (const name of names) failures += await runCase(cases, folder, name);
    cases.stop();
  } finally {
    await aws.stop();
  }
  if (failures > 0) console.error(`${failures} of ${names.length} files differ from what is expected.`);
  return failures > 0 ? 1 : 0;
}

async function runCase(cases: FileCases, folder: string, name: string): Promise<0 | 1> {
  try {
    const result = await cases.run(folder, name);
    console.log(JSON.stringify(result));
    const found = differences(folder, result);
    for (const difference of found) console.error(difference);
    return found.length > 0 ? 1 : 0;
  } catch (error) {
    console.error(`${name}: the processor failed: ${error instanceof Error ? error.message : error}`);
    return 1;
  }
}

main(process.argv[2]).then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  },
);
