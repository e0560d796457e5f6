import { defineComponent, h, ref } from "vue";
import type { StoryEntry } from "./contract.ts";
import { When } from "./elements.ts";
import { lasted } from "./moments.ts";

/** What happened, in the order of time. */
export const Story = defineComponent({
  props: { entries: { type: Array as () => StoryEntry[], required: true } },
  setup(props) {
    const withSteps = ref(true);
    return () => {
      const [first] = props.entries;
      const shown = props.entries.filter(({ weight }) => withSteps.value || weight !== "step");
      return h("section", { class: "card", "aria-label": "Story" }, [
        h("div", { class: "card-head" }, [
          h("h2", "Story"),
          h("label", { class: "check end soft" }, [
            h("input", {
              type: "checkbox",
              checked: withSteps.value,
              onChange: (event: Event) => (withSteps.value = (event.target as HTMLInputElement).checked),
            }),
            "Every step",
          ]),
        ]),
        first ? undefined : h("p", { class: "soft" }, "Nothing has happened yet."),
        h(
          "ol",
          { class: "story" },
          shown.map((entry, index) =>
            h("li", { key: index, class: `story-${entry.weight}`, "data-weight": entry.weight }, [
              h("span", { class: "story-since" }, since(entry, first)),
              h(When, { at: entry.at, precise: true }),
              h("span", { class: "story-place" }, entry.place),
              h("span", { class: "story-what" }, entry.what),
            ]),
          ),
        ),
      ]);
    };
  },
});

function since({ at }: StoryEntry, first: StoryEntry | undefined): string {
  const time = first ? Date.parse(at) - Date.parse(first.at) : 0;
  return time > 0 ? `+${lasted(time)}` : "";
}
