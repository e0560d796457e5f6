import { type VNodeChild, computed, defineComponent, h } from "vue";
import type { Api } from "./api.ts";
import { type Books, STATUSES } from "./contract.ts";
import { Age, icon, nothing, now, short, skeleton, trouble, words } from "./elements.ts";
import { type Feed, useFeed } from "./feed.ts";
import { dayAfter, dayOf } from "./moments.ts";
import { count, money } from "./money.ts";
import { go, queryOf, to } from "./route.ts";

/** What has to hold, in words. */
const INVARIANTS: Record<string, string> = {
  "money-belongs-to-orders": "All money that was kept belongs to a confirmed order",
  "confirmed-orders-hold-stock": "Every confirmed order holds its stock",
  "ended-orders-hold-nothing": "No order that ended without a sale holds stock",
  "orders-end": "Every order comes to its end in time",
  "stock-is-never-negative": "No stock is below nought",
};

/** How often books are read again, and what of them is news: that they were looked at is none. */
export const booksPace = {
  every: () => 60_000,
  essence: (books: Books) => ({ ...books, checked_at: undefined }),
};

export const BooksView = defineComponent({
  props: {
    api: { type: Object as () => Api, required: true },
    /** Those that the header shows, too. */
    today: { type: Object as () => Feed<Books>, required: true },
  },
  setup({ api, today: todays }) {
    const today = computed(() => dayOf(now.value));
    const query = queryOf("money");
    const day = computed(() => query.value.get("day") ?? today.value);
    const isToday = computed(() => day.value === today.value);
    const another = useFeed<Books>(api, {
      kind: "books-of-day",
      path: () => (isToday.value ? undefined : `operations/books?day=${encodeURIComponent(day.value)}`),
      ...booksPace,
    });
    const show = (wanted: string) =>
      go(to("money", undefined, { day: wanted === today.value ? undefined : wanted }), true);

    return () => {
      const feed = isToday.value ? todays : another;
      const books = feed.value.value;
      const failure = feed.failure.value;
      return [
        h("div", { class: "view-head" }, [
          h("h1", "Money"),
          h("div", { class: "day" }, [
            h(
              "button",
              {
                type: "button",
                class: "square",
                "aria-label": "The day before",
                onClick: () => show(dayAfter(day.value, -1)),
              },
              icon("previous"),
            ),
            h("input", {
              type: "date",
              "aria-label": "Day, in UTC",
              title: "Day, in UTC",
              value: day.value,
              max: today.value,
              onChange: (event: Event) => {
                const { value } = event.target as HTMLInputElement;
                if (value) show(value);
              },
            }),
            h(
              "button",
              {
                type: "button",
                class: "square",
                "aria-label": "The day after",
                disabled: isToday.value,
                onClick: () => show(dayAfter(day.value, 1)),
              },
              icon("next"),
            ),
            isToday.value
              ? h("span", { class: "soft" }, "today, in UTC")
              : h("button", { type: "button", onClick: () => show(today.value) }, "Today"),
          ]),
          books ? h("p", { class: "soft end" }, ["Looked at ", h(Age, { at: books.checked_at })]) : undefined,
        ]),
        failure ? trouble(failure, feed.hurry) : undefined,
        books ? whole(books) : failure ? undefined : skeleton(8),
      ];
    };
  },
});

function whole(books: Books): VNodeChild {
  const broken = books.invariants.filter(({ holds }) => !holds).length;
  return h("div", { class: "books" }, [
    h("section", { class: ["card", "verdict", broken === 0 ? "verdict-good" : "verdict-bad"], "aria-label": "Rules" }, [
      h("p", { class: "verdict-says", "data-verdict": broken === 0 ? "good" : "bad" }, [
        h("span", { class: "lamp" }),
        broken === 0 ? "The books agree" : broken === 1 ? "One rule is broken" : `${broken} rules are broken`,
      ]),
      h(
        "ul",
        { class: "invariants" },
        books.invariants.map(({ name, holds, says }) =>
          h("li", { key: name, "data-invariant": name, "data-holds": holds }, [
            h("span", {
              class: ["lamp", holds ? "lamp-good" : "lamp-bad"],
              role: "img",
              "aria-label": holds ? "holds" : "broken",
            }),
            h("span", [INVARIANTS[name] ?? words(name), h("span", { class: "soft invariant-says" }, says)]),
          ]),
        ),
      ),
      books.complete
        ? undefined
        : h(
            "p",
            { class: "notice notice-plain" },
            "There were more orders on this day than are looked at: only the newest are in these figures.",
          ),
    ]),
    h("section", { class: "card", "aria-label": "Orders" }, [h("h2", "Orders"), ordersBar(books.orders)]),
    h("section", { class: "card card-wide", "aria-label": "Figures" }, [h("h2", "Figures"), figures(books)]),
    h("section", { class: "card card-wide", "aria-label": "Findings" }, [h("h2", "Findings"), findings(books)]),
  ]);
}

function ordersBar(orders: Books["orders"]): VNodeChild {
  const sum = STATUSES.reduce((all, status) => all + (orders[status] ?? 0), 0);
  if (sum === 0) return nothing("No orders on this day");
  let from = 0;
  const parts = STATUSES.map((status) => {
    const share = ((orders[status] ?? 0) / sum) * 100;
    const part = { status, from, share };
    from += share;
    return part;
  });
  return [
    h(
      "svg",
      { class: "shares", viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" },
      parts
        .filter(({ share }) => share > 0)
        .map(({ status, from, share }) =>
          h("rect", {
            key: status,
            class: `share-${status}`,
            x: from,
            y: 0,
            width: Math.max(share - 0.4, 0.3),
            height: 4,
          }),
        ),
    ),
    h("dl", { class: "counts" }, [
      STATUSES.map((status) =>
        h("div", { key: status }, [
          h("dt", [h("span", { class: ["dot", `dot-${status}`] }), words(status)]),
          h("dd", { "data-count": status }, count(orders[status] ?? 0)),
        ]),
      ),
      h("div", { class: "counts-sum" }, [h("dt", "All"), h("dd", count(sum))]),
    ]),
  ];
}

const FIGURES = [
  ["charged", "Charged"],
  ["refunded", "Refunded"],
  ["kept", "Kept"],
  ["in_open_orders", "In open orders"],
  ["difference", "Difference"],
] as const;

function figures({ money: sums }: Books): VNodeChild {
  if (sums.length === 0) return nothing("No money moved on this day");
  return h("table", { class: "table figures" }, [
    h(
      "thead",
      h("tr", [h("th", "Currency"), FIGURES.map(([name, says]) => h("th", { class: "number", key: name }, says))]),
    ),
    h(
      "tbody",
      sums.map((sum) =>
        h("tr", { key: sum.currency, "data-currency": sum.currency }, [
          h("th", { scope: "row" }, sum.currency),
          FIGURES.map(([name]) =>
            h(
              "td",
              {
                key: name,
                class: ["number", { bad: name === "difference" && sum[name] !== 0, faint: sum[name] === 0 }],
                "data-figure": name,
              },
              money({ amount: sum[name], currency: sum.currency }),
            ),
          ),
        ]),
      ),
    ),
  ]);
}

function findings({ findings: found }: Books): VNodeChild {
  if (found.length === 0) return nothing("Nothing disagrees");
  return h(
    "ul",
    { class: "findings" },
    found.map((finding, index) =>
      h("li", { key: index }, [
        h("p", [
          h("strong", words(finding.kind)),
          finding.order_id
            ? [
                " · order ",
                h(
                  "a",
                  { class: "code", href: to("orders", finding.order_id), title: finding.order_id },
                  short(finding.order_id),
                ),
              ]
            : undefined,
          finding.sku
            ? [" · ", h("a", { class: "code", href: to("stock", undefined, { search: finding.sku }) }, finding.sku)]
            : undefined,
        ]),
        h("p", finding.says),
        h("p", { class: "remedy" }, [h("span", { class: "soft" }, "What heals it: "), finding.remedy]),
      ]),
    ),
  );
}
