/** Commands in settings of Stryker. */

/**
 * The command as one text. Stryker starts it without a shell: it divides the text at spaces that have no backslash before them, and
 * takes every other character as it is.
 */
export function commandText(...words: readonly string[]): string {
  return words.map((word) => word.replaceAll(" ", "\\ ")).join(" ");
}
