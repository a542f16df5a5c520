import { commandText } from "../../tools/mutation/command-text";

/** As execa 9.6, with which Stryker starts the command, reads one. */
function wordsOf(command: string): string[] {
  const words: string[] = [];
  for (const part of command.split(/ +/g)) {
    const before = words.at(-1);
    if (before?.endsWith("\\")) words[words.length - 1] = `${before.slice(0, -1)} ${part}`;
    else words.push(part);
  }
  return words;
}

test.each(["/a/ledger", "/a name/of the  ledger", '/$HOME/it\'s "here"/`a`;b', "/with space at the end "])(
  "a command names the folder %s whole",
  (folder) => {
    const words = ["ln", "-sfn", `${folder}/.local`, ".local"];
    expect(wordsOf(commandText(...words))).toEqual(words);
  },
);
