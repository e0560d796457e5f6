import { defineComponent, h, ref } from "vue";
import type { Api } from "./api.ts";
import type { Product } from "./contract.ts";
import { Modal, icon } from "./elements.ts";
import { count } from "./money.ts";

/** Takes down that units of a product came or went otherwise than by an order. */
export const Adjustment = defineComponent({
  props: {
    api: { type: Object as () => Api, required: true },
    product: { type: Object as () => Product, required: true },
  },
  emits: ["close", "adjusted"],
  setup({ api, product }, { emit }) {
    const delta = ref("");
    const reason = ref("");
    const busy = ref(false);
    const failure = ref("");
    // One for this window: whatever is sent twice from it is done once.
    let key = crypto.randomUUID();
    let sent = "";

    const submit = async (event: Event) => {
      event.preventDefault();
      if (busy.value) return;
      const body = { delta: Number(delta.value), reason: reason.value.trim() };
      // Another adjustment needs a key of its own.
      if (sent && sent !== JSON.stringify(body)) key = crypto.randomUUID();
      sent = JSON.stringify(body);
      busy.value = true;
      failure.value = "";
      try {
        const headers = { "idempotency-key": key };
        const stock = await api.send<{ available: number }>(
          `products/${encodeURIComponent(product.sku)}/stock-adjustments`,
          body,
          headers,
        );
        emit("adjusted", { ...product, available: stock.available, updated_at: new Date().toISOString() });
      } catch (error) {
        failure.value = error instanceof Error ? error.message : String(error);
      } finally {
        busy.value = false;
      }
    };

    return () => {
      const change = Number(delta.value);
      const isWhole = delta.value !== "" && Number.isInteger(change) && change !== 0;
      return h(Modal, { title: `Adjust ${product.name}`, onClose: () => emit("close") }, () =>
        h("form", { onSubmit: submit }, [
          h("div", { class: "fields" }, [
            h("label", { class: "field" }, [
              h("span", "Units to add, or, negative, to take away"),
              h("input", {
                type: "number",
                name: "delta",
                step: 1,
                min: -1_000_000,
                max: 1_000_000,
                required: true,
                autofocus: true,
                value: delta.value,
                onInput: (event: Event) => (delta.value = (event.target as HTMLInputElement).value),
              }),
            ]),
            h("p", { class: "sum", "aria-live": "polite" }, [
              h("span", { class: "soft" }, "Available "),
              count(product.available),
              isWhole
                ? [
                    " → ",
                    h(
                      "strong",
                      { class: product.available + change < 0 ? "bad" : "" },
                      count(product.available + change),
                    ),
                  ]
                : undefined,
            ]),
          ]),
          h("label", { class: "field" }, [
            h("span", "Why, for the books"),
            h("input", {
              type: "text",
              name: "reason",
              maxlength: 200,
              required: true,
              placeholder: "A delivery, a stocktaking, breakage",
              value: reason.value,
              onInput: (event: Event) => (reason.value = (event.target as HTMLInputElement).value),
            }),
          ]),
          failure.value
            ? h("p", { class: "notice notice-bad", role: "alert" }, [icon("alert"), failure.value])
            : undefined,
          h("div", { class: "dialog-actions" }, [
            h("button", { type: "button", onClick: () => emit("close") }, "Leave it"),
            h(
              "button",
              { class: "strong", disabled: busy.value || !isWhole || reason.value.trim() === "" },
              busy.value ? "Adjusting…" : "Adjust",
            ),
          ]),
        ]),
      );
    };
  },
});
