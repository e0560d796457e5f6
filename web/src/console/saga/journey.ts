// The way that one run took through its saga's graph. Pure.
import type { Run, Visit } from "../contract.ts";
import type { Drawing } from "./drawing.ts";
import { isErrorOnly } from "./graph.ts";

/** One stay in a state. */
export interface Stay extends Visit {
  /** The so-many-th of the run, from 1 on. */
  step: number;
  /** The error that led on from here, if it was one. */
  caught: string | undefined;
}

export interface Journey {
  stays: Stay[];
  /** The edges that were taken, by `from to`, with the steps that they led to. */
  taken: Map<string, number[]>;
  /** The state in which the run is, while it runs. */
  now: string | undefined;
  /** The state in which it failed. */
  failedIn: string | undefined;
  /** What the picture doesn't have: the saga was another one when this run went through it. */
  unknown: string[];
}

/** The name of an edge among those that were taken. */
export const edgeKey = (from: string, to: string) => `${from} ${to}`;

/** Follows a run. */
export function follow(drawing: Drawing, run: Run | undefined): Journey {
  const visits = run?.visits ?? [];
  const taken = new Map<string, number[]>();
  const stays = visits.map((visit, index): Stay => {
    const next = visits[index + 1];
    const edge = next && drawing.edges.find(({ from, to }) => from === visit.state && to === next.state);
    if (edge) {
      const key = edgeKey(edge.from, edge.to);
      taken.set(key, [...(taken.get(key) ?? []), index + 2]);
    }
    const caught = edge && isErrorOnly(edge) ? visit.failures.at(-1)?.error : undefined;
    return { ...visit, step: index + 1, caught };
  });
  const last = visits.at(-1)?.state;
  const known = new Set(drawing.states.map(({ name }) => name));
  return {
    stays,
    taken,
    now: run?.status === "RUNNING" ? last : undefined,
    failedIn: run && !["RUNNING", "SUCCEEDED"].includes(run.status) ? last : undefined,
    unknown: [...new Set(visits.map(({ state }) => state).filter((state) => !known.has(state)))],
  };
}
