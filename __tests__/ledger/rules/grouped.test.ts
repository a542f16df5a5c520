import { groupedBy } from "../../../ledger/rules/grouped";

test("groups come in the order of their first items, and keep the order of their items", () => {
  const groups = groupedBy(["b1", "a1", "b2", "__proto__", "a2"], (item) => item.charAt(0));
  expect([...groups]).toEqual([
    ["b", ["b1", "b2"]],
    ["a", ["a1", "a2"]],
    ["_", ["__proto__"]],
  ]);
});
