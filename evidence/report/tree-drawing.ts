/** The way of one entry to the root of the tree, drawn from the leaf at the bottom to the root at the top. */

import { pathRows, treeTexts } from "./entry-text";
import { type Html, html } from "./html";

const WIDTH = 720;
const LEVEL = 58;
const BOX = { width: 176, height: 38 };
const OWN_X = WIDTH / 2;
const sideX = (side: string) => (side === "left" ? 100 : WIDTH - 100);

/** @param path as `pathTexts` gives it. The texts of the drawing are those of `treeTexts`, in that order, so that the page's check can compare them. */
export function treeDrawing(path: readonly string[]): Html {
  const steps = pathRows(path);
  const height = (steps.length + 1) * LEVEL + 8;
  const y = (level: number) => height - (level + 1) * LEVEL + (LEVEL - BOX.height) / 2;
  const [entryText = "", leafText = "", ...others] = treeTexts(path);
  const wires = steps.map(({ side }, level) => {
    const [from, to] = [y(level), y(level + 1) + BOX.height];
    const x = sideX(side);
    return html`<path class="way" d="M${OWN_X} ${from}L${OWN_X} ${to}"></path><path class="wire" d="M${x} ${from}L${x} ${(from + to) / 2}L${OWN_X} ${(from + to) / 2}"></path>`;
  });
  const boxes = steps.map(({ side }, level) => {
    const [sibling = "", node = ""] = others.slice(2 * level, 2 * level + 2);
    const name = level === steps.length - 1 ? "root" : `level ${level + 1}`;
    return html`${box({ x: sideX(side), y: y(level), name: "sibling", hash: sibling })}${box({ x: OWN_X, y: y(level + 1), isOwn: true, name, hash: node })}`;
  });
  return html`<svg viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="Path of ${entryText} through ${steps.length} levels to the root; the table below has the same hashes" data-proven="tree">${wires}${box({ x: OWN_X, y: y(0), isOwn: true, name: entryText, hash: leafText, isNameProven: true })}${boxes}</svg>`;
}

interface Box {
  /** Middle. */
  readonly x: number;
  /** Top. */
  readonly y: number;
  readonly name: string;
  readonly hash: string;
  /** On the entry's own way to the root. */
  readonly isOwn?: boolean;
  /** The page's check compares the name too. */
  readonly isNameProven?: boolean;
}

function box({ x, y, name, hash, isOwn = false, isNameProven = false }: Box): Html {
  const left = x - BOX.width / 2;
  const label = isNameProven
    ? html`<text x="${left + 8}" y="${y + 15}" data-text="">${name}</text>`
    : html`<text x="${left + 8}" y="${y + 15}">${name}</text>`;
  return html`<rect class="${isOwn ? "box own" : "box"}" x="${left}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="4"></rect>${label}<text x="${left + 8}" y="${y + 31}" data-text="">${hash}</text>`;
}
