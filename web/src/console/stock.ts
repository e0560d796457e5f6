import { type VNodeChild, computed, defineComponent, h, ref, shallowRef, watch } from "vue";
import { Adjustment } from "./adjustment.ts";
import { type Api, Refusal } from "./api.ts";
import { tell, tellFailure } from "./asking.ts";
import type { Page, Product } from "./contract.ts";
import { Age, icon, nothing, skeleton, trouble } from "./elements.ts";
import { useFeed } from "./feed.ts";
import { count, money } from "./money.ts";
import { go, queryOf, to } from "./route.ts";

const PAGE = 100;
const LOW = 5;
/** For so long, a list may still hold what was before an adjustment. */
const CATCHING_UP = 15_000;

export const StockView = defineComponent({
  props: { api: { type: Object as () => Api, required: true } },
  setup({ api }) {
    const query = queryOf("stock");
    const sought = computed(() => query.value.get("search") ?? "");
    const older = shallowRef<Page<Product>>();
    /** What was read or adjusted one by one, and when. */
    const changed = shallowRef(new Map<string, { product: Product; at: number }>());
    const reading = ref(false);
    const adjusting = shallowRef<Product>();
    let timer: ReturnType<typeof setTimeout>;

    const all = useFeed<Page<Product>>(api, {
      kind: "products",
      path: () => `products?limit=${PAGE}`,
      every: () => 15_000,
      heard: () => (changed.value = new Map([...changed.value].filter(([, { at }]) => Date.now() - at < CATCHING_UP))),
    });
    // What is sought is looked for among those that are here; only if there are more, the API is asked.
    const isComplete = computed(() => all.value.value?.next_cursor === null);
    const named = useFeed<Page<Product>>(api, {
      kind: "products-by-name",
      path: () =>
        sought.value && all.value.value && !isComplete.value
          ? `products?limit=${PAGE}&name_prefix=${encodeURIComponent(sought.value)}`
          : undefined,
      every: () => 15_000,
    });

    const products = computed(() => {
      const known = new Map<string, Product>();
      const pages = [older.value, all.value.value, named.value.value];
      for (const product of pages.flatMap((page) => page?.items ?? [])) known.set(product.sku, product);
      for (const { product } of changed.value.values()) known.set(product.sku, product);
      const text = sought.value.toLowerCase();
      return [...known.values()]
        .filter(({ sku, name }) => sku.toLowerCase().includes(text) || name.toLowerCase().includes(text))
        .sort((a, b) => a.name.localeCompare(b.name) || a.sku.localeCompare(b.sku));
    });

    const more = async () => {
      const cursor = (older.value ?? all.value.value)?.next_cursor;
      if (!cursor || reading.value) return;
      reading.value = true;
      try {
        const answer = await api.read<Page<Product>>(`products?limit=${PAGE}&cursor=${encodeURIComponent(cursor)}`);
        if (answer.fresh) {
          const items = [...(older.value?.items ?? []), ...answer.value.items];
          older.value = { items, next_cursor: answer.value.next_cursor };
        }
      } catch (error) {
        tellFailure(error);
      } finally {
        reading.value = false;
      }
    };

    /** A product by its sku, which no list is sorted by. */
    const lookUp = async () => {
      try {
        const answer = await api.read<Product>(`products/${encodeURIComponent(sought.value)}`, { anew: true });
        if (answer.fresh) keep(answer.value);
      } catch (error) {
        tell(
          error instanceof Refusal && error.status === 404 ? `There is no product ${sought.value}.` : String(error),
          "bad",
        );
      }
    };
    const keep = (product: Product) =>
      (changed.value = new Map([...changed.value, [product.sku, { product, at: Date.now() }]]));

    const search = (event: Event) => {
      const text = (event.target as HTMLInputElement).value.trim();
      clearTimeout(timer);
      timer = setTimeout(() => go(to("stock", undefined, { search: text }), true), 200);
    };
    watch(sought, () => (older.value = sought.value ? older.value : undefined));

    return () => {
      const page = older.value ?? all.value.value;
      const failure = all.failure.value ?? named.failure.value;
      return [
        h("div", { class: "view-head" }, [
          h("h1", "Stock"),
          h("div", { class: "search" }, [
            icon("search"),
            h("input", {
              type: "search",
              placeholder: "Name or sku",
              "aria-label": "Name or sku",
              value: sought.value,
              onInput: search,
            }),
            h("kbd", { class: "search-key", "aria-hidden": "true" }, "/"),
          ]),
        ]),
        failure ? trouble(failure, all.hurry) : undefined,
        page ? table(products.value, (product) => (adjusting.value = product)) : failure ? undefined : skeleton(10),
        page && products.value.length === 0 ? nothing(sought.value ? "No such product" : "No products yet") : undefined,
        page
          ? h("div", { class: "foot" }, [
              h("span", { class: "soft", role: "status" }, `${count(products.value.length)} shown`),
              page.next_cursor && sought.value
                ? h("button", { type: "button", onClick: () => void lookUp() }, `Look up the sku “${sought.value}”`)
                : undefined,
              page.next_cursor
                ? h("button", { type: "button", disabled: reading.value, onClick: () => void more() }, "Show more")
                : undefined,
            ])
          : undefined,
        adjusting.value
          ? h(Adjustment, {
              api,
              product: adjusting.value,
              key: adjusting.value.sku,
              onClose: () => (adjusting.value = undefined),
              onAdjusted: (product: Product) => {
                adjusting.value = undefined;
                keep(product);
                tell(`${product.name}: ${count(product.available)} available now.`);
              },
            })
          : undefined,
      ];
    };
  },
});

function table(products: Product[], adjust: (product: Product) => void): VNodeChild {
  if (products.length === 0) return undefined;
  return h("table", { class: "table" }, [
    h(
      "thead",
      h("tr", [
        h("th", "Product"),
        h("th", "Sku"),
        h("th", { class: "number" }, "Price"),
        h("th", { class: "number" }, "Available"),
        h("th", { class: "number wide" }, "Changed"),
        h("th", { class: "number" }, h("span", { class: "hidden" }, "Adjust")),
      ]),
    ),
    h(
      "tbody",
      products.map((product) =>
        h("tr", { key: product.sku, "data-row": "", "data-sku": product.sku }, [
          h("td", { class: "lines", title: product.description ?? product.name }, product.name),
          h(
            "td",
            h(
              "a",
              { class: "code", href: to("orders", undefined, { sku: product.sku }), title: "Orders with this product" },
              product.sku,
            ),
          ),
          h("td", { class: "number" }, money(product.unit_price)),
          h(
            "td",
            {
              class: [
                "number",
                "available",
                { out: product.available <= 0, low: product.available > 0 && product.available <= LOW },
              ],
              "data-available": product.available,
            },
            [
              product.available <= 0 ? h("span", { class: "tag tag-bad" }, "sold out") : undefined,
              count(product.available),
            ],
          ),
          h("td", { class: "number wide" }, h(Age, { at: product.updated_at })),
          h(
            "td",
            { class: "number" },
            h(
              "button",
              {
                type: "button",
                class: "small",
                "aria-label": `Adjust ${product.name}`,
                onClick: () => adjust(product),
              },
              "Adjust",
            ),
          ),
        ]),
      ),
    ),
  ]);
}
