// Where the states and the edges of a graph are drawn: a lane for each part of it, side by side, and the edges between
// them through the gutters, at right angles. The states of neighbouring lanes are half a row apart, so that an edge can
// cross a lane between two of its states. Pure, and done when the page is built.
import type { Edge, Graph, Lane, State } from "./graph.ts";

export interface Placed extends State {
  /** Its centre. */
  x: number;
  y: number;
  row: number;
}
export interface Drawn extends Edge {
  /** Its corners, from the state that it leaves to the one that it enters. */
  points: Point[];
}
export type Point = readonly [x: number, y: number];

export interface Drawing {
  start: string;
  width: number;
  height: number;
  lanes: { lane: Lane; x: number }[];
  states: Placed[];
  edges: Drawn[];
}

export const STATE = { width: 184, height: 52 } as const;
const ROW = 90;
const GUTTER = 52;
const TRACK = 13;
const HEAD = 40;
const MARGIN = 12;
const PORT = 9;
const ORDER: Lane[] = ["detour", "forward", "undo", "trouble"];

/** Draws a graph. */
export function draw(graph: Graph): Drawing {
  const lanes = ORDER.filter((lane) => graph.states.some((state) => state.lane === lane));
  const rows = rowsOf(graph, lanes);
  const first = Math.min(...rows.values());
  const last = Math.max(...rows.values());
  const laneX = (index: number) => MARGIN + GUTTER / 2 + STATE.width / 2 + index * (STATE.width + GUTTER);
  const states = graph.states.map((state) => {
    const row = rows.get(state.name)!;
    const y = HEAD + STATE.height / 2 + (row - first) * ROW;
    return { ...state, row, x: laneX(lanes.indexOf(state.lane)), y };
  });
  return {
    start: graph.start,
    width: 2 * MARGIN + lanes.length * (STATE.width + GUTTER),
    height: HEAD + STATE.height + (last - first) * ROW + MARGIN,
    lanes: lanes.map((lane, index) => ({ lane, x: laneX(index) })),
    states,
    edges: route(graph.edges, states, lanes, laneX),
  };
}

/** The row of each state: in each lane one below the other, from beside where the lane is entered. */
function rowsOf(graph: Graph, lanes: Lane[]): Map<string, number> {
  const rows = new Map<string, number>();
  const laneOf = new Map(graph.states.map(({ name, lane }) => [name, lane]));
  const home = lanes.indexOf("forward");
  for (const lane of (["forward", "detour", "undo", "trouble"] as Lane[]).filter((lane) => lanes.includes(lane))) {
    const names = sorted(graph, lane);
    const shift = Math.abs(lanes.indexOf(lane) - home) % 2 === 0 ? 0 : 0.5;
    const sources = graph.edges
      .filter(({ to, from }) => laneOf.get(to) === lane && laneOf.get(from) !== lane)
      .flatMap(({ from }) => rows.get(from) ?? [])
      .sort((a, b) => a - b);
    // Undoing begins where something can first go wrong; a person may be called from anywhere.
    const beside = sources[lane === "trouble" ? Math.floor((sources.length - 1) / 2) : 0] ?? 0;
    const top = Math.floor(beside) + shift;
    names.forEach((name, index) => rows.set(name, top + index));
  }
  return rows;
}

/** A lane's states, each after those that lead to it, as far as there are no circles. */
function sorted(graph: Graph, lane: Lane): string[] {
  const names = graph.states.filter((state) => state.lane === lane).map(({ name }) => name);
  const seen = new Set<string>();
  const order: string[] = [];
  const visit = (name: string) => {
    if (seen.has(name) || !names.includes(name)) return;
    seen.add(name);
    for (const { from, to } of graph.edges) if (from === name) visit(to);
    order.unshift(name);
  };
  const inner = graph.edges.filter(({ from, to }) => names.includes(from) && names.includes(to));
  const roots = names.filter((name) => name === graph.start || !inner.some(({ to }) => to === name));
  // From the last to the first, because each is put before those that were visited earlier.
  for (const name of [...roots.reverse(), ...names]) visit(name);
  return order;
}

type Side = "left" | "right";
/** A stretch of an edge through a gutter, on the track that edges to the same place share. */
interface Trunk {
  gutter: number;
  key: string;
  rank: number;
}

function route(edges: Edge[], states: Placed[], lanes: Lane[], laneX: (index: number) => number): Drawn[] {
  const byName = new Map(states.map((state) => [state.name, state]));
  const trunks = new Map<string, Trunk>();
  const leaving = new Set<string>();
  const entering = new Set<string>();
  const port = (name: string, side: Side) => `${name} ${side}`;
  const trunk = (gutter: number, key: string, rank: number) => {
    const id = `${gutter} ${key}`;
    trunks.set(id, { gutter, key, rank });
    return id;
  };

  /** First, by which sides and through which gutters each edge goes; only then is known how many share one. */
  const plans = edges.map((edge) => {
    const [from, to] = [byName.get(edge.from)!, byName.get(edge.to)!];
    const [source, target] = [lanes.indexOf(from.lane), lanes.indexOf(to.lane)];
    if (source === target && to.row === from.row + 1) return { edge, from, to, straight: true as const };
    const [out, into]: [Side, Side] =
      source === target ? ["left", "left"] : source < target ? ["right", "left"] : ["left", "right"];
    leaving.add(port(edge.from, out));
    entering.add(port(edge.to, into));
    const step = Math.sign(target - source);
    const stretches: { id: string; row: number }[] = [];
    let row = from.row;
    // Gutter n is to the left of lane n.
    for (let lane = source + step; lane !== target && step !== 0; lane += step) {
      const at = row;
      if (states.some((state) => state.lane === lanes[lane] && Math.abs(state.row - at) < 0.5)) {
        row += 0.5;
        const gutter = step > 0 ? lane : lane + 1;
        stretches.push({ id: trunk(gutter, `${edge.from} past ${lanes[lane]}`, 1), row });
      }
    }
    const gutter = step > 0 ? target : target + (step < 0 ? 1 : 0);
    const rank = step > 0 ? 0 : step < 0 ? 1 : 2;
    return {
      edge,
      from,
      to,
      straight: false as const,
      out,
      into,
      stretches,
      end: trunk(gutter, port(edge.to, into), rank),
    };
  });

  const trackX = (id: string) => {
    const { gutter } = trunks.get(id)!;
    const beside = [...trunks].filter(([, other]) => other.gutter === gutter);
    beside.sort(([, a], [, b]) => a.rank - b.rank || a.key.localeCompare(b.key, "en"));
    const index = beside.findIndex(([other]) => other === id);
    const middle = laneX(gutter) - STATE.width / 2 - GUTTER / 2;
    return middle + (index - (beside.length - 1) / 2) * TRACK;
  };
  const edgeOf = (state: Placed, side: Side) => state.x + (side === "left" ? -1 : 1) * (STATE.width / 2);

  return plans.map((plan) => {
    const { edge, from, to } = plan;
    if (plan.straight) {
      const half = STATE.height / 2;
      return { ...edge, points: [[from.x, from.y + half] as const, [to.x, to.y - half] as const] };
    }
    const both = (name: string, side: Side) => leaving.has(port(name, side)) && entering.has(port(name, side));
    let y = from.y + (both(edge.from, plan.out) ? PORT : 0);
    const points: Point[] = [[edgeOf(from, plan.out), y]];
    for (const { id, row } of plan.stretches) {
      const x = trackX(id);
      points.push([x, y], [x, (y = from.y + (row - from.row) * ROW)]);
    }
    const end = to.y - (both(edge.to, plan.into) ? PORT : 0);
    const x = trackX(plan.end);
    if (y !== end) points.push([x, y], [x, end]);
    points.push([edgeOf(to, plan.into), end]);
    return { ...edge, points };
  });
}

/** An SVG path through points at right angles, with round corners. */
export function pathThrough(points: readonly Point[], radius = 9): string {
  const [start, ...rest] = points;
  if (!start) return "";
  let path = `M${start[0]} ${start[1]}`;
  let [x, y] = start;
  rest.forEach(([nextX, nextY], index) => {
    const after = rest[index + 1];
    const length = Math.hypot(nextX - x, nextY - y);
    const cut = after ? Math.min(radius, length / 2, Math.hypot(after[0] - nextX, after[1] - nextY) / 2) : 0;
    const [unitX, unitY] = [Math.sign(nextX - x), Math.sign(nextY - y)];
    path += `L${nextX - unitX * cut} ${nextY - unitY * cut}`;
    if (after) {
      const [outX, outY] = [Math.sign(after[0] - nextX), Math.sign(after[1] - nextY)];
      path += `Q${nextX} ${nextY} ${nextX + outX * cut} ${nextY + outY * cut}`;
    }
    [x, y] = [nextX, nextY];
  });
  return path;
}
