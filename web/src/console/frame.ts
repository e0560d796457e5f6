import { type Component, computed, defineComponent, h, onBeforeUnmount, onMounted, ref, watch } from "vue";
import logo from "../logo.svg";
import type { Api } from "./api.ts";
import { Asking } from "./asking.ts";
import { BooksView, booksPace } from "./books.ts";
import type { Books, Page, Queue } from "./contract.ts";
import { Modal, icon, now } from "./elements.ts";
import { heardAt, pulse, still, useFeed, watchVisibility } from "./feed.ts";
import { KEYS, keysOn, listen } from "./keys.ts";
import { age } from "./moments.ts";
import { OrderView } from "./order.ts";
import { OrdersView } from "./orders.ts";
import { QueuesView } from "./queues.ts";
import { route, to } from "./route.ts";
import { NotForCustomers, SignIn } from "./sign-in.ts";
import { StockView } from "./stock.ts";
import { nextTheme, theme } from "./theme.ts";

const licences = document.querySelector<HTMLMetaElement>("meta[name=licences]")?.content;

/** The whole page. */
export const Console = defineComponent({
  props: { api: { type: Object as () => Api, required: true } },
  setup({ api }) {
    watchVisibility();
    void api.restore();
    return () => {
      const user = api.user.value;
      if (user === undefined)
        return h("main", { class: "gate" }, h("p", { class: "soft", role: "status" }, "Loading…"));
      if (user === null) return h(SignIn, { api });
      return user.role === "customer" ? h(NotForCustomers, { api }) : h(Frame, { api, key: user.id });
    };
  },
});

const PLACES = { orders: "Orders", queues: "Queues", stock: "Stock", money: "Money" };
type Place = keyof typeof PLACES;

/** What surrounds each view. */
const Frame = defineComponent({
  props: { api: { type: Object as () => Api, required: true } },
  setup({ api }) {
    const isAdmin = computed(() => api.user.value?.role === "admin");
    const places = computed<Place[]>(() => (isAdmin.value ? ["orders", "queues", "stock", "money"] : ["orders"]));
    const place = computed<Place>(() => places.value.find((one) => one === route.value.place) ?? "orders");
    const help = ref(false);

    // The marks beside the views' names: all that is on screen of them, elsewhere.
    const queues = useFeed<Page<Queue>>(api, {
      kind: "queues",
      path: () => (isAdmin.value ? "operations/queues" : undefined),
      every: () => (place.value === "queues" ? 15_000 : 60_000),
    });
    const books = useFeed<Books>(api, {
      kind: "books",
      path: () => (isAdmin.value ? "operations/books" : undefined),
      ...booksPace,
    });
    watch(place, (is) => is === "queues" && queues.hurry());

    onBeforeUnmount(listen({ help: () => (help.value = true) }));
    const enter = () => {
      document.querySelector("main")?.focus({ preventScroll: true });
      scrollTo(0, 0);
    };
    onMounted(enter);
    watch(() => [place.value, route.value.what].join(" "), enter, { flush: "post" });
    watch(
      () => [place.value, route.value.what],
      ([is, what]) =>
        (document.title = `${what ? `${what.slice(0, 8)} · ` : ""}${PLACES[is as Place]} · Oxcart Console`),
      { immediate: true },
    );

    const view = () => {
      const what = route.value.what;
      const views: Record<Place, () => ReturnType<typeof h>> = {
        orders: () => (what ? h(OrderView, { api, id: what, key: what }) : h(OrdersView, { api })),
        queues: () => h(QueuesView, { api, queues }),
        stock: () => h(StockView as Component, { api }),
        money: () => h(BooksView, { api, today: books }),
      };
      return views[place.value]();
    };

    return () => [
      h("a", { class: "skip", href: "#main", onClick: skip }, "Skip to the content"),
      h("header", { class: "bar" }, [
        h("a", { class: "wordmark", href: "#/orders" }, [
          h("img", { src: logo, alt: "", width: 24, height: 24 }),
          h("span", "Oxcart"),
          h("span", { class: "kind" }, "Console"),
        ]),
        h(
          "nav",
          { "aria-label": "Views" },
          places.value.map((one) =>
            h("a", { href: to(one), "aria-current": one === place.value ? "page" : undefined, key: one }, [
              PLACES[one],
              one === "queues" ? waiting(queues.value.value) : undefined,
            ]),
          ),
        ),
        h("div", { class: "bar-end" }, [
          isAdmin.value ? h(Light, { books: books.value.value }) : undefined,
          h(PulseButton),
          h(
            "button",
            {
              type: "button",
              class: "bare",
              title: `Colours: ${theme.value}`,
              "aria-label": `Colours: ${theme.value}. Change`,
              onClick: nextTheme,
            },
            icon(theme.value),
          ),
          h("details", { class: "menu", onFocusout: closeMenu, onKeydown: escapeMenu }, [
            h("summary", { title: "You" }, initials(api.user.value?.name || "You")),
            h("div", { class: "menu-body" }, [
              h("p", { class: "menu-name" }, api.user.value?.name),
              h("p", { class: "soft" }, [api.user.value?.email, " · ", api.user.value?.role]),
              h("button", { type: "button", onClick: () => (help.value = true) }, "Keys"),
              h("a", { href: "docs" }, "API reference"),
              h("a", { href: licences }, "Licences"),
              h("button", { type: "button", onClick: () => void api.signOut() }, "Sign out"),
            ]),
          ]),
        ]),
      ]),
      h("main", { id: "main", tabindex: -1, class: `view view-${place.value}` }, view()),
      help.value ? h(Help, { onClose: () => (help.value = false) }) : undefined,
      h(Asking),
    ];
  },
});

/** How many messages lie in the queues of what was given up. */
function waiting(queues: Page<Queue> | undefined) {
  const messages = (queues?.items ?? []).reduce((sum, queue) => sum + queue.messages, 0);
  return messages > 0 ? h("span", { class: "mark", title: `${messages} given up` }, messages) : undefined;
}

/** Whether today's books agree, at a glance. */
const Light = defineComponent({
  props: { books: Object as () => Books | undefined },
  setup(props) {
    return () => {
      const broken = props.books?.invariants.filter(({ holds }) => !holds).length ?? 0;
      const [state, says] = !props.books
        ? ["unknown", "Books: not known yet"]
        : broken === 0
          ? ["good", "Books agree"]
          : ["bad", broken === 1 ? "Books: 1 rule broken" : `Books: ${broken} rules broken`];
      return h("a", { class: ["light", `light-${state}`], href: "#/money", "data-light": state }, says);
    };
  },
});

/** How the console hears of what happens, and the switch that keeps it still. */
const PulseButton = defineComponent({
  setup() {
    const texts = { live: "Live", paused: "Paused", strained: "Trying again", offline: "Offline" };
    return () =>
      h(
        "button",
        {
          type: "button",
          class: ["pulse", `pulse-${pulse.value}`],
          "data-pulse": pulse.value,
          "aria-pressed": still.value,
          title: `Last answer ${age(now.value - heardAt.value)}. ${still.value ? "Go on" : "Pause"}`,
          onClick: () => (still.value = !still.value),
        },
        [h("span", { class: "pulse-dot" }), texts[pulse.value]],
      );
  },
});

const Help = defineComponent({
  emits: ["close"],
  setup(_props, { emit }) {
    return () =>
      h(Modal, { title: "Keys", onClose: () => emit("close") }, () => [
        h(
          "dl",
          { class: "keys" },
          KEYS.map(([keys, does]) => [
            h(
              "dt",
              keys.map((key) => h("kbd", key)),
            ),
            h("dd", does),
          ]),
        ),
        h("label", { class: "check" }, [
          h("input", {
            type: "checkbox",
            checked: keysOn.value,
            onChange: (event: Event) => (keysOn.value = (event.target as HTMLInputElement).checked),
          }),
          "Use these keys",
        ]),
        h("div", { class: "dialog-actions" }, [
          h("button", { type: "button", class: "strong", autofocus: true, onClick: () => emit("close") }, "Close"),
        ]),
      ]);
  },
});

function skip(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>("main")?.focus();
}

function closeMenu(event: FocusEvent): void {
  const menu = event.currentTarget as HTMLDetailsElement;
  if (!menu.contains(event.relatedTarget as Node | null)) menu.open = false;
}

function escapeMenu(event: KeyboardEvent): void {
  if (event.key !== "Escape") return;
  const menu = event.currentTarget as HTMLDetailsElement;
  menu.open = false;
  menu.querySelector("summary")?.focus();
}

function initials(name: string): string {
  const parts = name.trim().split(/\s+/);
  return [parts[0], parts.length > 1 ? parts.at(-1) : undefined]
    .map((part) => part?.charAt(0) ?? "")
    .join("")
    .toUpperCase();
}
