import { computed, defineComponent, h, onScopeDispose, ref, shallowRef, watch } from "vue";
import type { Api } from "./api.ts";
import { tellFailure } from "./asking.ts";
import { type FoundOrder, type Page, STATUSES } from "./contract.ts";
import { Age, Badge, icon, nothing, short, skeleton, trouble, words } from "./elements.ts";
import { useFeed } from "./feed.ts";
import { money } from "./money.ts";
import { type Meant, type OrderList, withFirstPage, withOlderPage } from "./order-list.ts";
import { go, lastList, queryOf, to } from "./route.ts";
import { SearchBox } from "./search-box.ts";

const PAGE = 50;
/** Of a page with fewer orders than this, the next one is read as well. */
const ENOUGH = 15;
const PAGES_AT_ONCE = 4;
const MINUTE = 60_000;

const TIMES: [name: string, says: string, minutes: number][] = [
  ["", "Any time", 0],
  ["hour", "Last hour", 60],
  ["day", "Last 24 hours", 24 * 60],
  ["week", "Last 7 days", 7 * 24 * 60],
];

/** What the address says of which orders are wanted. */
function filters(query: URLSearchParams) {
  return {
    status: query.get("status") ?? "",
    attention: query.get("attention") ?? "",
    sku: query.get("sku") ?? "",
    customer: query.get("customer") ?? "",
    time: query.get("time") ?? "",
    from: query.get("from") ?? "",
    before: query.get("before") ?? "",
  };
}
type Filters = ReturnType<typeof filters>;

function pathOf(wanted: Filters, since: string | undefined): string {
  const query = new URLSearchParams({ limit: String(PAGE) });
  // Nobody needs to look after an order that has ended.
  const status = wanted.attention && !wanted.status ? "PENDING,CANCELLING" : wanted.status;
  const from = wanted.time === "range" ? moment(wanted.from) : since;
  const before = wanted.time === "range" ? moment(wanted.before) : undefined;
  const parameters = {
    status,
    sku: wanted.sku,
    customer_id: wanted.customer,
    created_from: from,
    created_before: before,
  };
  for (const [name, value] of Object.entries(parameters)) if (value) query.set(name, value);
  return `operations/orders?${query}`;
}

/** A local time from a field, as the API wants it. */
function moment(text: string): string | undefined {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

export const OrdersView = defineComponent({
  props: { api: { type: Object as () => Api, required: true } },
  setup({ api }) {
    const query = queryOf("orders");
    const wanted = computed(() => filters(query.value));
    const set = (change: Partial<Filters>) => go(to("orders", undefined, { ...wanted.value, ...change }), true);
    watch(wanted, () => (lastList.value = to("orders", undefined, wanted.value)), { immediate: true });
    // Not "an hour ago" as of now: each question would be another one.
    const since = computed(() => {
      const minutes = TIMES.find(([name]) => name === wanted.value.time)?.[2];
      return minutes ? new Date(Math.floor(Date.now() / MINUTE) * MINUTE - minutes * MINUTE).toISOString() : undefined;
    });
    const path = computed(() => pathOf(wanted.value, since.value));

    const list = shallowRef<OrderList>();
    const reading = ref(false);
    const fresh = shallowRef(new Set<string>());
    let timer: ReturnType<typeof setTimeout>;
    onScopeDispose(() => clearTimeout(timer));

    const feed = useFeed<Page<FoundOrder>>(api, {
      kind: "orders",
      path: () => path.value,
      every: () => 5_000,
      heard(page) {
        const before = list.value;
        list.value = withFirstPage(before, page);
        if (before) show(before, page);
        else void more(ENOUGH);
      },
    });
    watch(path, () => ((list.value = undefined), (fresh.value = new Set())));

    /** Marks what has changed, for as long as it takes to see it. */
    const show = (before: OrderList, page: Page<FoundOrder>) => {
      const known = new Map(before.orders.map((order) => [order.id, order]));
      const changed = page.items.filter((order) => {
        const was = known.get(order.id);
        return was?.updated_at !== order.updated_at || was.status !== order.status;
      });
      fresh.value = new Set(changed.map(({ id }) => id));
      clearTimeout(timer);
      timer = setTimeout(() => (fresh.value = new Set()), 2_500);
    };

    const shown = computed(() => {
      const orders = list.value?.orders ?? [];
      return wanted.value.attention ? orders.filter((order) => order.needs_attention) : orders;
    });

    /** Reads on, some pages at most, until there is enough to see. */
    const more = async (enough: number) => {
      const asked = path.value;
      if (reading.value) return;
      reading.value = true;
      try {
        for (let page = 0; page < PAGES_AT_ONCE && shown.value.length < enough; page++) {
          const cursor = list.value?.cursor;
          if (!cursor) break;
          const answer = await api.read<Page<FoundOrder>>(`${asked}&cursor=${encodeURIComponent(cursor)}`);
          if (path.value !== asked || !list.value) break;
          if (answer.fresh) list.value = withOlderPage(list.value, answer.value);
        }
      } catch (error) {
        tellFailure(error);
      } finally {
        reading.value = false;
      }
    };

    return () => {
      const { failure } = feed;
      return [
        h("div", { class: "view-head" }, [h("h1", "Orders"), h(SearchBox, { onFound: found })]),
        h("div", { class: "filters", role: "group", "aria-label": "Filters" }, [
          STATUSES.map((status) => statusFilter(status, wanted.value, set)),
          h(
            "button",
            {
              type: "button",
              class: "chip chip-attention",
              "aria-pressed": wanted.value.attention !== "",
              onClick: () => set({ attention: wanted.value.attention ? "" : "yes" }),
            },
            [icon("alert"), "Needs attention"],
          ),
          timeFilter(wanted.value, set),
          wanted.value.customer
            ? token("customer", short(wanted.value.customer), () => set({ customer: "" }))
            : undefined,
          wanted.value.sku ? token("product", wanted.value.sku, () => set({ sku: "" })) : undefined,
        ]),
        failure.value ? trouble(failure.value, feed.hurry) : undefined,
        list.value ? table(shown.value, fresh.value, set) : failure.value ? undefined : skeleton(12),
        list.value
          ? foot(list.value, shown.value.length, reading.value, () => void more(shown.value.length + PAGE))
          : undefined,
      ];
    };

    function found({ by, value }: Meant) {
      if (by === "order") go(to("orders", value));
      else set(by === "customer" ? { customer: value } : { sku: value });
    }
  },
});

function statusFilter(status: string, wanted: Filters, set: (change: Partial<Filters>) => void) {
  const chosen = wanted.status ? wanted.status.split(",") : [];
  const isChosen = chosen.includes(status);
  const next = isChosen ? chosen.filter((one) => one !== status) : [...chosen, status];
  return h(
    "button",
    {
      type: "button",
      class: "chip",
      key: status,
      "aria-pressed": isChosen,
      onClick: () => set({ status: STATUSES.filter((one) => next.includes(one)).join(",") }),
    },
    [h("span", { class: ["dot", `dot-${status}`] }), words(status)],
  );
}

function timeFilter(wanted: Filters, set: (change: Partial<Filters>) => void) {
  const field = (name: "from" | "before", label: string) =>
    h("input", {
      type: "datetime-local",
      "aria-label": label,
      title: label,
      value: wanted[name],
      onChange: (event: Event) => set({ [name]: (event.target as HTMLInputElement).value }),
    });
  return h("span", { class: "time-filter" }, [
    h(
      "select",
      {
        "aria-label": "Placed",
        value: wanted.time,
        onChange: (event: Event) => set({ time: (event.target as HTMLSelectElement).value }),
      },
      [
        TIMES.map(([name, says]) => h("option", { value: name, key: name }, says)),
        h("option", { value: "range" }, "From … to …"),
      ],
    ),
    wanted.time === "range"
      ? [field("from", "Placed from"), h("span", "–"), field("before", "Placed before")]
      : undefined,
  ]);
}

function token(kind: string, value: string, drop: () => void) {
  return h("span", { class: "token", key: kind }, [
    h("span", { class: "soft" }, kind),
    h("span", { class: "code" }, value),
    h("button", { type: "button", class: "bare", "aria-label": `No longer by ${kind}`, onClick: drop }, icon("close")),
  ]);
}

function table(orders: FoundOrder[], fresh: Set<string>, set: (change: Partial<Filters>) => void) {
  if (orders.length === 0) return undefined;
  return h("table", { class: "table orders" }, [
    h(
      "thead",
      h("tr", [
        h("th", "Order"),
        h("th", "Status"),
        h("th", "Lines"),
        h("th", { class: "number" }, "Total"),
        h("th", { class: "wide" }, "Payment"),
        h("th", { class: "wide" }, "Customer"),
        h("th", { class: "number" }, "Placed"),
      ]),
    ),
    h(
      "tbody",
      orders.map((order) => row(order, fresh.has(order.id), set)),
    ),
  ]);
}

function row(order: FoundOrder, isFresh: boolean, set: (change: Partial<Filters>) => void) {
  const lines = order.lines.map(({ sku, quantity }) => `${quantity} × ${sku}`).join(", ");
  return h(
    "tr",
    {
      key: order.id,
      "data-row": "",
      "data-order": order.id,
      class: { fresh: isFresh, attention: order.needs_attention },
      onClick: (event: MouseEvent) => {
        const selected = getSelection()?.toString();
        if (!(event.target as HTMLElement).closest("a, button") && !selected) go(to("orders", order.id));
      },
    },
    [
      h("td", h("a", { class: "code", href: to("orders", order.id), title: order.id }, short(order.id))),
      h("td", { class: "status" }, [
        h(Badge, { status: order.status }),
        order.needs_attention ? h("span", { class: "warn", title: "Needs attention" }, icon("alert")) : undefined,
        order.reason ? h("span", { class: "soft reason" }, words(order.reason)) : undefined,
      ]),
      h("td", { class: "lines", title: lines }, lines),
      h("td", { class: "number" }, order.total ? money(order.total) : h("span", { class: "faint" }, "–")),
      h("td", { class: "wide" }, h(Badge, { status: order.payment_status, quiet: true })),
      h(
        "td",
        { class: "wide" },
        h(
          "button",
          {
            type: "button",
            class: "bare code quiet-link",
            title: `All orders of ${order.customer_id}`,
            onClick: () => set({ customer: order.customer_id }),
          },
          short(order.customer_id),
        ),
      ),
      h("td", { class: "number" }, h(Age, { at: order.created_at })),
    ],
  );
}

function foot(list: OrderList, shown: number, reading: boolean, more: () => void) {
  if (shown === 0 && list.cursor === null) {
    return nothing("No such orders", h("p", "None matches these filters. New ones appear here by themselves."));
  }
  return h("div", { class: "foot" }, [
    h(
      "span",
      { class: "soft", role: "status" },
      shown === 0 ? "None among the newest orders." : `${shown} shown${list.cursor ? "" : ", that is all"}`,
    ),
    list.cursor
      ? h("button", { type: "button", disabled: reading, onClick: more }, reading ? "Reading…" : "Show older ones")
      : undefined,
  ]);
}
