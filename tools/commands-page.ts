/** `npm run commands-page`: writes `docs/commands.md`, from the tree of commands and from what the tests run of it. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandsPage } from "../__tests__/support/program-page";

writeFileSync(join(__dirname, "..", "docs", "commands.md"), commandsPage());
