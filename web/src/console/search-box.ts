import { computed, defineComponent, h, ref, watch } from "vue";
import { icon } from "./elements.ts";
import { type Meant, meanings } from "./order-list.ts";

const SAYS = { order: "Open the order", customer: "Orders of the customer", sku: "Orders with the product" };

/** Takes an order's id, a customer's, or a product's sku. */
export const SearchBox = defineComponent({
  emits: ["found"],
  setup(_props, { emit }) {
    const text = ref("");
    const at = ref(0);
    const options = computed(() => meanings(text.value));
    watch(options, () => (at.value = 0));
    const take = (meant: Meant | undefined) => {
      if (!meant) return;
      text.value = "";
      emit("found", meant);
    };
    const keyed = (event: KeyboardEvent) => {
      if (event.key === "Enter") take(options.value[at.value]);
      else if (event.key === "Escape") text.value = "";
      else if (event.key === "ArrowDown") at.value = Math.min(at.value + 1, options.value.length - 1);
      else if (event.key === "ArrowUp") at.value = Math.max(at.value - 1, 0);
      else return;
      event.preventDefault();
    };
    return () => {
      const isOpen = text.value.trim() !== "";
      return h("div", { class: "search" }, [
        icon("search"),
        h("input", {
          type: "search",
          placeholder: "Order id, customer id or sku",
          "aria-label": "Order id, customer id or sku",
          role: "combobox",
          "aria-expanded": isOpen,
          "aria-controls": "meanings",
          "aria-activedescendant": isOpen && options.value.length > 0 ? `meaning-${at.value}` : undefined,
          autocomplete: "off",
          spellcheck: false,
          value: text.value,
          onInput: (event: Event) => (text.value = (event.target as HTMLInputElement).value),
          onKeydown: keyed,
          onBlur: () => (text.value = ""),
        }),
        isOpen ? undefined : h("kbd", { class: "search-key", "aria-hidden": "true" }, "/"),
        isOpen
          ? h("ul", { class: "meanings", id: "meanings", role: "listbox", "aria-label": "What it may be" }, [
              options.value.map((meant, index) =>
                h(
                  "li",
                  {
                    key: meant.by,
                    id: `meaning-${index}`,
                    role: "option",
                    "aria-selected": index === at.value,
                    // Before the field loses the focus.
                    onMousedown: (event: Event) => (event.preventDefault(), take(meant)),
                  },
                  [h("span", SAYS[meant.by]), h("span", { class: "code" }, meant.value)],
                ),
              ),
              options.value.length === 0
                ? h("li", { class: "soft", role: "none" }, "Neither an id nor a sku")
                : undefined,
            ])
          : undefined,
      ]);
    };
  },
});
