/** `payledger completion`: what a shell completes, written out from the tree of commands. */

import { COMMON, type CommandBody, type Commands, isGroup, loaded } from "../evidence/commands/command";
import { UsageError } from "../evidence/commands/errors";
import { DONE } from "../evidence/commands/program";

const SHELLS = ["bash", "zsh"];

/** @param commands given when it runs, because the tree holds this command too. */
export function completion(commands: () => Commands): CommandBody {
  return {
    operands: SHELLS.join("|"),
    details:
      'bash: eval "$(npx payledger completion bash)". zsh: the same with zsh. It completes payledger and npx payledger.',
    options: {},
    run: async (args, { answer }) => {
      const shell = args.onlyOperand("shell");
      if (!SHELLS.includes(shell)) throw new UsageError(`The shell is one of ${SHELLS.join(", ")}.`);
      const script = scriptFor(shell, wordsByPath(commands()));
      answer({ shell, script }, script);
      return DONE;
    },
  };
}

/** What may come after each path of words: commands of a group, options of a command. */
function wordsByPath(commands: Commands, path: readonly string[] = []): ReadonlyMap<string, readonly string[]> {
  const words = new Map<string, readonly string[]>([[path.join(" "), Object.keys(commands)]]);
  for (const [name, node] of Object.entries(commands)) {
    const inner = [...path, name];
    if (isGroup(node)) {
      for (const [key, value] of wordsByPath(node.commands, inner)) words.set(key, value);
    } else {
      const options = Object.keys({ ...loaded(node).options, ...COMMON });
      words.set(
        inner.join(" "),
        options.map((option) => `--${option}`),
      );
    }
  }
  return words;
}

function scriptFor(shell: string, words: ReadonlyMap<string, readonly string[]>): string {
  const cases = [...words].map(([path, list]) => `    "${path}") words="${list.join(" ")}" ;;`);
  return [
    ...(shell === "zsh" ? ["autoload -U +X bashcompinit && bashcompinit"] : []),
    `_payledger() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" words="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in payledger) path="" ;; -*) break ;; *) path="\${path:+$path }$word" ;; esac
  done
  while :; do case "$path" in`,
    ...cases,
    `    *) if [[ "$path" == *" "* ]]; then path="\${path% *}"; continue; fi ;;
  esac; break; done
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}`,
    "complete -o default -F _payledger payledger npx",
  ].join("\n");
}
