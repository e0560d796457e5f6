import { defineComponent, h } from "vue";
import type { Run } from "./contract.ts";
import { When, now } from "./elements.ts";
import { lasted } from "./moments.ts";
import type { Drawn, Placed } from "./saga/drawing.ts";
import type { Journey, Stay } from "./saga/journey.ts";

/** What a state is for, and what happened in it. */
export const StateFacts = defineComponent({
  props: {
    state: { type: Object as () => Placed, required: true },
    journey: { type: Object as () => Journey, required: true },
    run: Object as () => Run | undefined,
    edges: { type: Array as () => Drawn[], required: true },
  },
  setup(props) {
    return () => {
      const { state, run } = props;
      const stays = props.journey.stays.filter((stay) => stay.state === state.name);
      const leads = props.edges.filter(({ from }) => from === state.name);
      return h("section", { class: "state-facts", "aria-label": state.name, "data-facts": state.name }, [
        h("h2", [state.name, state.undoes ? h("span", { class: "tag tag-undo" }, "undoes") : undefined]),
        h("p", { class: "soft" }, state.comment),
        stays.length === 0 ? h("p", "This run was never here.") : undefined,
        stays.map((stay) =>
          h("div", { class: "stay", key: stay.step }, [
            h("p", [
              h("strong", `Step ${stay.step}`),
              h("span", { class: "soft" }, [" entered ", h(When, { at: stay.entered, precise: true })]),
              run
                ? h(
                    "span",
                    stay.left || run.ended ? ` · ${lasted(took(stay, run))}` : ` · for ${lasted(took(stay, run))} now`,
                  )
                : "",
            ]),
            stay.failures.length > 0
              ? h(
                  "ol",
                  { class: "failures" },
                  stay.failures.map(({ at, error }) =>
                    h("li", [h(When, { at, precise: true }), " ", h("span", { class: "code bad" }, error)]),
                  ),
                )
              : h("p", { class: "soft" }, "No attempt failed."),
          ]),
        ),
        leads.length > 0
          ? h(
              "dl",
              { class: "leads" },
              leads.map((edge) => [h("dt", ["→ ", edge.to]), h("dd", { class: "soft" }, waysOf(edge))]),
            )
          : h("p", { class: "soft" }, "It ends here."),
      ]);
    };
  },
});

/** How long a stay took, or takes so far. */
export const took = (stay: Stay, run: Run): number =>
  (stay.left ? Date.parse(stay.left) : run.ended ? Date.parse(run.ended) : now.value) - Date.parse(stay.entered);

/** When an edge is taken, in words. */
export function waysOf(edge: Drawn): string {
  const ways = edge.ways.map((way) =>
    way.by === "next"
      ? "when it is done"
      : way.by === "catch"
        ? `on ${way.errors.map(errorName).join(", ")}`
        : `by ${way.by}`,
  );
  return ways.join("; ");
}

/** An error as the file names it; the one that stands for all, in words. */
const errorName = (error: string): string => (error === "States.ALL" ? "any other error" : error);

/** Which errors there were, and how often. */
export function failuresOf(stays: Stay[]): string {
  const counts = new Map<string, number>();
  for (const { error } of stays.flatMap(({ failures }) => failures)) counts.set(error, (counts.get(error) ?? 0) + 1);
  return [...counts].map(([error, times]) => (times === 1 ? error : `${times} × ${error}`)).join(", ");
}
