import { type VNodeChild, computed, defineComponent, h, shallowRef, watch } from "vue";
import type { Run } from "./contract.ts";
import { lasted } from "./moments.ts";
import { type Drawn, type Placed, STATE, pathThrough } from "./saga/drawing.ts";
import { type Lane, isErrorOnly } from "./saga/graph.ts";
import { type Journey, edgeKey, follow } from "./saga/journey.ts";
import { sagas } from "./saga/sagas.ts";
import { StateFacts, failuresOf, took, waysOf } from "./state-facts.ts";

const LANES: Record<Lane, string> = {
  detour: "Way round",
  forward: "Sells",
  undo: "Undoes",
  trouble: "Calls a person",
};

/** A saga, and the way that one run took through it. */
export const Picture = defineComponent({
  props: { saga: { type: String as () => Run["saga"], required: true }, run: Object as () => Run | undefined },
  setup(props) {
    const drawing = computed(() => sagas[props.saga]);
    const journey = computed(() => follow(drawing.value, props.run));
    const chosen = shallowRef<string>();
    /** The one that the Tab key leads to; from there on, arrows. */
    const reached = shallowRef<string>();
    watch(
      () => [props.saga, props.run?.name],
      () => (chosen.value = reached.value = undefined),
    );
    const entry = computed(
      () => reached.value ?? journey.value.now ?? journey.value.stays[0]?.state ?? drawing.value.start,
    );

    const walk = (event: KeyboardEvent, from: Placed) => {
      if (event.key === "Enter" || event.key === " ") {
        chosen.value = chosen.value === from.name ? undefined : from.name;
      } else if (event.key === "Escape" && chosen.value) {
        chosen.value = undefined;
      } else {
        const next = neighbour(drawing.value.states, from, event.key);
        if (!next) return;
        reached.value = next.name;
        const picture = (event.currentTarget as Element).closest("svg");
        picture?.querySelector<SVGElement>(`[data-state="${next.name}"]`)?.focus();
      }
      event.preventDefault();
    };

    return () => {
      const { width, height, lanes, states, edges } = drawing.value;
      const { taken, unknown } = journey.value;
      // What was taken lies on top.
      const sorted = [...edges].sort((a, b) => rank(a, taken) - rank(b, taken));
      const state = states.find(({ name }) => name === chosen.value);
      return h("div", { class: "picture" }, [
        h("div", { class: "picture-scroll" }, [
          h(
            "svg",
            {
              viewBox: `0 0 ${width} ${height}`,
              height,
              style: { maxWidth: `${width}px` },
              role: "group",
              "aria-label": `The saga and the way this run took. Arrow keys lead from state to state.`,
              "data-saga": props.saga,
            },
            [
              h("defs", ["idle", "taken", "error", "undo"].map(arrowHead)),
              lanes.map(({ lane, x }) =>
                h("text", { class: "lane", x, y: 18, key: lane }, laneTitle(props.saga, lane)),
              ),
              sorted.map((edge) => drawEdge(edge, journey.value, states)),
              states.map((one) =>
                drawState(one, journey.value, props.run, {
                  tabindex: one.name === entry.value ? 0 : -1,
                  "aria-expanded": one.name === chosen.value,
                  onClick: () => {
                    reached.value = one.name;
                    chosen.value = chosen.value === one.name ? undefined : one.name;
                  },
                  onKeydown: (event: KeyboardEvent) => walk(event, one),
                }),
              ),
            ],
          ),
        ]),
        unknown.length > 0
          ? h(
              "p",
              { class: "notice notice-plain" },
              `This run went through states that the saga no longer has: ${unknown.join(", ")}.`,
            )
          : undefined,
        state ? h(StateFacts, { state, journey: journey.value, run: props.run, edges }) : legend(props.run),
      ]);
    };
  },
});

/** What the cancellation calls its straight way is not selling. */
function laneTitle(saga: Run["saga"], lane: Lane): string {
  if (saga === "order-saga") return LANES[lane];
  return { ...LANES, forward: "Undoes", undo: "Has ended already" }[lane];
}

function legend(run: Run | undefined): VNodeChild {
  if (!run) return h("p", { class: "legend" }, "The saga has not started yet.");
  const item = (kind: string, says: string) => h("span", [h("i", { class: `swatch swatch-${kind}` }), says]);
  return h("p", { class: "legend" }, [
    item("taken", "taken"),
    item("undo", "undoes"),
    item("error", "led on by an error"),
    item("idle", "not taken"),
    h("span", { class: "faint" }, "Choose a state to see its attempts."),
  ]);
}

function rank(edge: Drawn, taken: Map<string, number[]>): number {
  return taken.has(edgeKey(edge.from, edge.to)) ? 2 : isErrorOnly(edge) ? 0 : 1;
}

function arrowHead(kind: string) {
  return h(
    "marker",
    {
      id: `head-${kind}`,
      viewBox: "0 0 8 8",
      refX: 7,
      refY: 4,
      markerWidth: 7,
      markerHeight: 7,
      markerUnits: "userSpaceOnUse",
      orient: "auto",
      key: kind,
    },
    h("path", { d: "M0.5 0.5L7.5 4L0.5 7.5z", class: `head-${kind}` }),
  );
}

function drawEdge(edge: Drawn, { taken }: Journey, states: Placed[]): VNodeChild {
  const steps = taken.get(edgeKey(edge.from, edge.to));
  const [from, to] = [edge.from, edge.to].map((end) => states.find(({ name }) => name === end));
  const error = isErrorOnly(edge);
  const kind = !steps
    ? "idle"
    : error || from?.lane === "trouble"
      ? "error"
      : from?.undoes && to?.undoes
        ? "undo"
        : "taken";
  return h(
    "path",
    {
      key: edgeKey(edge.from, edge.to),
      class: ["edge", `edge-${kind}`, { "edge-dashed": error }],
      d: pathThrough(edge.points),
      "marker-end": `url(#head-${kind})`,
      "data-from": edge.from,
      "data-to": edge.to,
      "data-taken": steps?.join(" "),
    },
    h("title", `${edge.from} → ${edge.to}: ${waysOf(edge)}`),
  );
}

function drawState(
  state: Placed,
  journey: Journey,
  run: Run | undefined,
  listeners: Record<string, unknown>,
): VNodeChild {
  const stays = journey.stays.filter((stay) => stay.state === state.name);
  const failures = stays.reduce((sum, stay) => sum + stay.failures.length, 0);
  const isNow = journey.now === state.name;
  const ended = journey.failedIn === state.name && run?.error !== state.name ? run?.error : undefined;
  const caught = stays.at(-1)?.caught ?? ended ?? undefined;
  const [x, y] = [state.x - STATE.width / 2, state.y - STATE.height / 2];
  const last = stays.at(-1);
  const time = run && stays.length > 0 ? lasted(stays.reduce((sum, stay) => sum + took(stay, run), 0)) : "";
  const under = last && run ? (caught ? fit(`${time} · ${caught}`) : isNow ? `for ${time}` : time) : "";
  const steps = stays.map(({ step }) => step);
  const label = [
    state.name,
    steps.length > 0 ? `step ${steps.join(", ")}, ${time}` : "not visited",
    failures > 0 ? `failed attempts: ${failuresOf(stays)}` : "",
    isNow ? "it is here now" : "",
  ];
  return h(
    "g",
    {
      key: state.name,
      role: "button",
      class: [
        "state",
        `state-${state.lane}`,
        {
          "state-visited": stays.length > 0,
          "state-undoes": state.undoes,
          "state-now": isNow,
          "state-caught": caught !== undefined,
          "state-failed": journey.failedIn === state.name,
          "state-end": state.type === "Succeed" || state.type === "Fail",
        },
      ],
      "data-state": state.name,
      "data-visits": steps.length > 0 ? steps.join(" ") : undefined,
      "data-undoes": state.undoes ? "" : undefined,
      "data-now": isNow ? "" : undefined,
      "data-failures": failures > 0 ? failures : undefined,
      "aria-label": label.filter(Boolean).join("; "),
      ...listeners,
    },
    [
      isNow
        ? h("rect", { class: "halo", x: x - 4, y: y - 4, width: STATE.width + 8, height: STATE.height + 8, rx: 12 })
        : undefined,
      h("rect", { class: "box", x, y, width: STATE.width, height: STATE.height, rx: 8 }),
      h("text", { class: "name", x: state.x, y: state.y + (under ? -3 : 4.5) }, state.name),
      under ? h("text", { class: "under", x: state.x, y: state.y + 14 }, under) : undefined,
      steps.length > 0
        ? pill(
            "step",
            x + 2,
            y,
            steps.length > 3 ? `${steps.slice(0, 2).join(" ")} … ${steps.at(-1)}` : steps.join(" "),
          )
        : undefined,
      failures > 0 ? pill("failures", x + STATE.width - 4, y, `${failures} ✕`, failuresOf(stays)) : undefined,
    ],
  );
}

function pill(kind: string, x: number, y: number, text: string, title?: string): VNodeChild {
  const width = Math.max(20, 11 + text.length * 6.2);
  return h("g", { class: `pill pill-${kind}` }, [
    h("rect", { x: x - width / 2, y: y - 9, width, height: 18, rx: 9 }),
    h("text", { x, y: y + 3.8 }, text),
    title ? h("title", title) : undefined,
  ]);
}

/** As much of a text as a state is wide. */
function fit(text: string): string {
  const most = 28;
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** The next state in the direction of an arrow key. */
function neighbour(states: Placed[], from: Placed, key: string): Placed | undefined {
  const arrows: Record<string, readonly [number, number]> = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
  };
  const arrow = arrows[key];
  if (!arrow) return undefined;
  const [dx, dy] = arrow;
  const beyond = (state: Placed) =>
    dx === 0 ? state.lane === from.lane && (state.y - from.y) * dy > 0 : (state.x - from.x) * dx > 0;
  const far = (state: Placed) => Math.abs(state.x - from.x) * 2 + Math.abs(state.y - from.y);
  return states.filter(beyond).sort((a, b) => far(a) - far(b))[0];
}
