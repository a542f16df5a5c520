/** What every function reads and writes as a process: its environment and its observer, made once at cold start. */

import { readEnvironment } from "./environment";
import { makeObserver } from "./observe";
import { VARIABLES } from "./variables";

export const ENVIRONMENT = readEnvironment(VARIABLES);
export const OBSERVER = makeObserver(ENVIRONMENT.functionName);
