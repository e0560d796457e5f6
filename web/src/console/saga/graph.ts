// What a state machine's file says of its own shape. Pure: knows no run of it, and no picture.

/** As much of an Amazon States Language file as makes its graph. */
export interface Machine {
  Comment?: string;
  StartAt: string;
  States: Record<string, MachineState>;
}
interface MachineState {
  Type: string;
  Comment?: string;
  Resource?: string;
  Next?: string;
  End?: boolean;
  Default?: string;
  Catch?: { ErrorEquals: string[]; Next: string }[];
  Choices?: { Next?: string }[];
}

/**
 * Where a state belongs: on the way to success, on a way round that leads back to it, in what undoes it, or where a
 * person is called.
 */
export type Lane = "detour" | "forward" | "undo" | "trouble";

export interface State {
  name: string;
  type: string;
  /** What the file says that it is for. */
  comment: string;
  lane: Lane;
  /** Whether it takes back what another state has done. */
  undoes: boolean;
}

/** How one state leads to another. */
export type Way = { by: "next" } | { by: "choice" } | { by: "default" } | { by: "catch"; errors: string[] };

export interface Edge {
  from: string;
  to: string;
  ways: Way[];
}

export interface Graph {
  start: string;
  states: State[];
  edges: Edge[];
}

const KNOWN = new Set(["Task", "Pass", "Wait", "Choice", "Succeed", "Fail"]);

/** The graphs of machines that belong together: what undoes in one of them undoes in the others, too. */
export function readGraphs<Name extends string>(machines: Record<Name, Machine>): Record<Name, Graph> {
  const named = Object.entries(machines) as [Name, Machine][];
  const graphs = Object.fromEntries(named.map(([name, machine]) => [name, readGraph(machine)])) as Record<Name, Graph>;
  const resources = (name: Name, wanted: (state: State) => boolean) =>
    graphs[name].states.filter(wanted).map((state) => machines[name].States[state.name]?.Resource);
  const undoing = new Set(named.flatMap(([name]) => resources(name, ({ undoes }) => undoes)));
  for (const [name, machine] of named) {
    for (const state of graphs[name].states) {
      const resource = machine.States[state.name]?.Resource;
      state.undoes ||= resource !== undefined && undoing.has(resource) && state.lane !== "trouble";
    }
  }
  return graphs;
}

function readGraph({ StartAt, States }: Machine): Graph {
  const edges = Object.entries(States).flatMap(([name, state]) => edgesOf(name, state));
  for (const { from, to } of edges) {
    if (!(to in States)) throw new Error(`${from} leads to ${to}, which is no state`);
  }
  if (!(StartAt in States)) throw new Error(`It starts at ${StartAt}, which is no state`);

  const ordinary = edges.filter(({ ways }) => ways.some(({ by }) => by !== "catch"));
  const forward = reachable([StartAt], ordinary);
  const lane = (name: string): Lane => {
    if (forward.has(name)) return "forward";
    const onward = reachable([name], ordinary);
    if ([...onward].some((next) => forward.has(next))) return "detour";
    const ends = [...onward].filter((next) => !ordinary.some(({ from }) => from === next));
    return ends.length > 0 && ends.every((end) => States[end]?.Type === "Fail") ? "trouble" : "undo";
  };
  const states = Object.entries(States).map(([name, { Type, Comment = "" }]) => {
    const at = lane(name);
    return { name, type: Type, comment: Comment, lane: at, undoes: at === "undo" && Type === "Task" };
  });
  return { start: StartAt, states, edges };
}

/** One edge for each state that it leads to. */
function edgesOf(from: string, state: MachineState): Edge[] {
  if (!KNOWN.has(state.Type)) throw new Error(`${from} is a ${state.Type}, which nobody has taught to be drawn`);
  const edges = new Map<string, Edge>();
  const add = (to: string | undefined, way: Way) => {
    if (to === undefined) return;
    const edge = edges.get(to) ?? { from, to, ways: [] };
    const same = edge.ways.find(({ by }) => by === way.by);
    if (same?.by === "catch" && way.by === "catch") same.errors.push(...way.errors);
    else if (!same) edge.ways.push(way);
    edges.set(to, edge);
  };
  add(state.Next, { by: "next" });
  for (const choice of state.Choices ?? []) add(choice.Next, { by: "choice" });
  add(state.Default, { by: "default" });
  for (const { ErrorEquals, Next } of state.Catch ?? []) add(Next, { by: "catch", errors: [...ErrorEquals] });
  return [...edges.values()];
}

function reachable(from: string[], edges: Edge[]): Set<string> {
  const found = new Set(from);
  // A set hands out what is added while it is walked.
  for (const name of found) {
    for (const edge of edges) if (edge.from === name) found.add(edge.to);
  }
  return found;
}

/** Whether only an error leads along it. */
export function isErrorOnly({ ways }: Edge): boolean {
  return ways.every(({ by }) => by === "catch");
}
