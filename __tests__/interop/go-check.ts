/** `check/`: the programme that judges our logs with other authors' libraries. */

import path from "node:path";
import { type GoProgram, type GoResult, goProgram } from "../../local/go-program";

export type Checked = GoResult;
export type GoCheck = GoProgram;

export async function goCheck(): Promise<GoCheck> {
  const check = await goProgram({
    name: "check",
    folder: path.join(__dirname, "check"),
    package: ".",
    files: ["main.go"],
  });
  return async (...words) => {
    const checked = await check(...words);
    // Tessera reports its progress there, in klog's form.
    return { ...checked, err: checked.err.replaceAll(/^[IWE]\d{4} .*\n/gm, "") };
  };
}
