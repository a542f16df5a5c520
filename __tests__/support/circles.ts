/** Import circles: nodes of a graph that reach themselves, found by following every path once (Tarjan's algorithm). */

import { posix } from "node:path";
import { imports, isCode, isTest, type SourceFile } from "./project-files";

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** @returns each group of nodes that reach each other, sorted by name. */
export function circles(graph: Graph): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const path: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): void => {
    order.set(node, order.size);
    lowest.set(node, order.get(node) ?? 0);
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) visit(next);
      if (path.includes(next)) lowest.set(node, Math.min(lowest.get(node) ?? 0, lowest.get(next) ?? 0));
    }
    if (lowest.get(node) !== order.get(node)) return;
    const group = path.splice(path.indexOf(node));
    if (group.length > 1) found.push(group.sort());
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return found;
}

/** Which file imports which, types included. */
export function fileGraph(files: readonly SourceFile[]): Graph {
  const paths = new Set(files.map(({ path }) => path));
  return new Map(
    files.filter(isCode).map((file) => {
      const targets = new Set<string>();
      imports(file, (module) => {
        const target = posix.join(posix.dirname(file.path), module);
        const path = [target, `${target}.ts`, `${target}/index.ts`].find((each) => paths.has(each));
        if (module.startsWith(".") && path !== undefined) targets.add(path);
        return undefined;
      });
      return [file.path, targets];
    }),
  );
}

/** Which room imports which. Tests and what they share are no room. */
function roomGraph(files: readonly SourceFile[]): Graph {
  const roomOf = (path: string) => path.split("/")[0] ?? "";
  const rooms = new Map<string, Set<string>>();
  for (const [path, targets] of fileGraph(files.filter((file) => !isTest(file)))) {
    const own = roomOf(path);
    const reached = rooms.get(own) ?? new Set();
    for (const target of targets) if (roomOf(target) !== own) reached.add(roomOf(target));
    rooms.set(own, reached);
  }
  return rooms;
}

export function importCircles(files: readonly SourceFile[]): string[] {
  return [...circles(fileGraph(files)), ...circles(roomGraph(files))].map(
    (circle) => `${circle.join(", ")} import each other. Move what they share to a third place.`,
  );
}
