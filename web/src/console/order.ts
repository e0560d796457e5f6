import { type VNodeChild, computed, defineComponent, h, ref } from "vue";
import type { Api } from "./api.ts";
import { confirm, tell, tellFailure } from "./asking.ts";
import { isAtRest, isOpen } from "./at-rest.ts";
import type { Examined, Resumed, Run } from "./contract.ts";
import { Badge, Copy, When, icon, nothing, skeleton, trouble, words } from "./elements.ts";
import { isRefusal, useFeed } from "./feed.ts";
import { lasted } from "./moments.ts";
import { facts } from "./order-facts.ts";
import { Picture } from "./picture.ts";
import { lastList, to } from "./route.ts";
import { titles } from "./saga/sagas.ts";
import { Story } from "./story.ts";

const IN_MOTION = 2_000;
const AT_REST = 30_000;

export const OrderView = defineComponent({
  props: { api: { type: Object as () => Api, required: true }, id: { type: String, required: true } },
  setup({ api, id }) {
    const feed = useFeed<Examined>(api, {
      kind: "order",
      path: () => `operations/orders/${encodeURIComponent(id)}`,
      every: (examined) => (examined && isAtRest(examined) ? AT_REST : IN_MOTION),
    });
    const chosen = ref<string>();
    const busy = ref(false);
    const runs = computed(() => feed.value.value?.runs ?? []);
    /** The one that was asked for; else the one that goes on, or was the last one. */
    const shown = computed(
      () =>
        runs.value.find((run) => nameOf(run) === chosen.value) ??
        runs.value.findLast(({ status }) => status === "RUNNING") ??
        runs.value.at(-1),
    );

    const resume = async () => {
      const agreed = await confirm({
        title: "Resume this order?",
        text: "Its saga is run again from the start. That is always safe: every step may be repeated, and every undo is final.",
        action: "Resume",
      });
      if (!agreed) return;
      busy.value = true;
      try {
        const { outcome, says } = await api.send<Resumed>(`operations/orders/${id}/resume`, undefined);
        tell(says, outcome === "restarted" || outcome === "running" ? "good" : "bad");
        feed.hurry();
      } catch (error) {
        tellFailure(error);
      } finally {
        busy.value = false;
      }
    };

    return () => {
      const examined = feed.value.value;
      const failure = feed.failure.value;
      const order = examined?.order;
      const mayResume = api.user.value?.role === "admin" && order && isOpen(order.status);
      return [
        h("p", { class: "crumbs" }, h("a", { href: lastList.value }, "← Orders")),
        h("div", { class: "view-head order-head" }, [
          h("h1", { class: "code" }, id),
          h(Copy, { text: id, what: "the order's id" }),
          order ? h(Badge, { status: order.status }) : undefined,
          order?.needs_attention ? h("span", { class: "tag tag-bad" }, [icon("alert"), "Needs attention"]) : undefined,
          order?.action_requested && order.status === "PENDING"
            ? h("span", { class: "tag" }, "Waits for its customer")
            : undefined,
          mayResume
            ? h(
                "button",
                {
                  type: "button",
                  class: ["end", { strong: order.needs_attention }],
                  disabled: busy.value,
                  onClick: () => void resume(),
                },
                [icon("redo"), "Resume"],
              )
            : undefined,
        ]),
        failure && !isRefusal(failure, 404) ? trouble(failure, feed.hurry) : undefined,
        examined ? whole(examined) : isRefusal(failure, 400, 404) ? unknown() : failure ? undefined : skeleton(10),
      ];
    };

    function whole(examined: Examined): VNodeChild {
      const run = shown.value;
      return h("div", { class: "order" }, [
        h("div", { class: "order-main" }, [
          examined.order?.parked ? parked(examined.order.parked) : undefined,
          h("section", { class: "card", "aria-label": "The way of the order" }, [
            runs.value.length > 0 ? tabs(run) : undefined,
            examined.runs_forgotten
              ? h("p", { class: "soft" }, "The sagas are Express ones, whose runs leave no history: this is every way that there is.")
              : undefined,
            h(
              "div",
              {
                id: "run",
                role: runs.value.length > 0 ? "tabpanel" : undefined,
                "data-run": run ? nameOf(run) : "none",
              },
              h(Picture, { saga: run?.saga ?? "order-saga", run }),
            ),
          ]),
          h(Story, { entries: examined.story }),
        ]),
        h("aside", { class: "order-side", "aria-label": "Facts" }, facts(examined)),
      ]);
    }

    function tabs(run: Run | undefined): VNodeChild {
      const choose = (event: KeyboardEvent) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step || !run) return;
        const next = runs.value[(runs.value.indexOf(run) + step + runs.value.length) % runs.value.length]!;
        chosen.value = nameOf(next);
        const tab = (event.currentTarget as Element).querySelectorAll<HTMLElement>("[role=tab]");
        tab[runs.value.indexOf(next)]?.focus();
      };
      return h(
        "div",
        { class: "tabs", role: "tablist", "aria-label": "Runs", onKeydown: choose },
        runs.value.map((one) =>
          h(
            "button",
            {
              key: nameOf(one),
              type: "button",
              role: "tab",
              "aria-selected": one === run,
              "aria-controls": "run",
              tabindex: one === run ? 0 : -1,
              onClick: () => (chosen.value = nameOf(one)),
            },
            [
              h("span", { class: ["dot", `dot-run-${one.status}`] }),
              `${titles[one.saga]}${one.number > 0 ? ` · run ${one.number}` : ""}`,
              h("span", { class: "soft" }, [
                words(one.status),
                one.ended ? ` in ${lasted(Date.parse(one.ended) - Date.parse(one.started))}` : "",
              ]),
            ],
          ),
        ),
      );
    }
  },
});

const nameOf = (run: Run): string => `${run.saga} ${run.number}`;

function unknown(): VNodeChild {
  return nothing(
    "Nothing is known of this order",
    h("p", "No service has heard of this id. Was all of it copied?"),
    h("a", { href: to("orders") }, "All orders"),
  );
}

function parked({ at, state, error }: { at: string; state: string; error: string }): VNodeChild {
  return h("div", { class: "notice notice-bad" }, [
    icon("alert"),
    h("p", [
      h("strong", "It is left to a person. "),
      h("span", { class: "code" }, state),
      " kept failing with ",
      h("span", { class: "code" }, error),
      ", until ",
      h(When, { at }),
      ". Mend what was wrong, then resume it.",
    ]),
  ]);
}
