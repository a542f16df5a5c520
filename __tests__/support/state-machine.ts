/** Runs a state machine in this process, as far as the project's own definition needs it: tasks that call one function, choices, maps. */

interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly End?: boolean;
  readonly Parameters?: { readonly [name: string]: unknown };
  readonly Choices?: readonly { readonly Variable: string; readonly StringEquals: string; readonly Next: string }[];
  readonly Default?: string;
  readonly ItemsPath?: string;
  readonly ItemSelector?: object;
  readonly ItemProcessor?: Machine;
}

interface Machine {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

type Invoke = (payload: unknown) => Promise<unknown>;

/** What `$$` refers to. */
interface Context {
  readonly Execution: { readonly Name: string };
  readonly Map?: { readonly Item: { readonly Value: unknown } };
}

const STATES_MAX = 200;

/** @returns the output. @param visited gets the name of each state as it is entered. */
export async function runMachine(
  machine: Machine,
  name: string,
  invoke: Invoke,
  visited: string[] = [],
): Promise<unknown> {
  return run(machine, {}, { Execution: { Name: name } }, invoke, visited);
}

async function run(machine: Machine, input: unknown, context: Context, invoke: Invoke, visited: string[]) {
  let [name, value] = [machine.StartAt, input];
  for (let entered = 0; entered < STATES_MAX; entered++) {
    const state = machine.States[name];
    if (state === undefined) throw new Error(`There is no state ${name}.`);
    visited.push(name);
    const next = await enter(state, value, context, invoke, visited);
    value = next.output;
    if (next.name === undefined) return value;
    name = next.name;
  }
  throw new Error(`The machine has not ended after ${STATES_MAX} states.`);
}

async function enter(state: State, input: unknown, context: Context, invoke: Invoke, visited: string[]) {
  const name = state.End === true ? undefined : state.Next;
  switch (state.Type) {
    case "Task": {
      const { Payload } = filled({ ...state.Parameters }, input, context) as { readonly Payload: unknown };
      return { name, output: await invoke(asJson(Payload)) };
    }
    case "Choice": {
      const chosen = state.Choices?.find(({ Variable, StringEquals }) => at(Variable, input, context) === StringEquals);
      return { name: chosen?.Next ?? state.Default, output: input };
    }
    case "Map": {
      const items = at(state.ItemsPath ?? "$", input, context) as readonly unknown[];
      await Promise.all(
        items.map((Value) => {
          const inside = { ...context, Map: { Item: { Value } } };
          const item = filled(state.ItemSelector ?? {}, input, inside);
          return run(state.ItemProcessor as Machine, item, inside, invoke, visited);
        }),
      );
      return { name, output: input };
    }
    case "Succeed":
      return { name: undefined, output: input };
    default:
      throw new Error(`States of the type ${state.Type} are not known here.`);
  }
}

/** Fields whose names end with `.$` name a value of the input or of the context. */
function filled(template: unknown, input: unknown, context: Context): unknown {
  if (typeof template !== "object" || template === null) return template;
  return Object.fromEntries(
    Object.entries(template).map(([name, value]) =>
      name.endsWith(".$")
        ? [name.slice(0, -2), at(String(value), input, context)]
        : [name, filled(value, input, context)],
    ),
  );
}

function at(path: string, input: unknown, context: Context): unknown {
  const [root, ...names] = path.split(".");
  const start = root === "$$" ? context : input;
  return names.reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], start);
}

/** What a service hands on is JSON. */
function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
