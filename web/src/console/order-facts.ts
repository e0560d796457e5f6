import { type VNodeChild, h } from "vue";
import type { Examined, Line, Money } from "./contract.ts";
import { Age, Badge, Copy, When, words } from "./elements.ts";
import { money } from "./money.ts";
import { to } from "./route.ts";

/** What is known of an order, by who knows it. */
export function facts({ order, reservation, payment }: Examined): VNodeChild[] {
  const lines = order?.priced_lines ?? reservation?.lines ?? order?.lines ?? [];
  const refunds = Object.values(payment?.refunds ?? {});
  return [
    card("Lines", [
      lines.length > 0
        ? lineTable(lines, order?.total ?? null)
        : h("p", { class: "soft" }, "The order itself is not known."),
    ]),
    order
      ? card("Order", [
          factList([
            ["Placed", [h(When, { at: order.created_at }), " · ", h(Age, { at: order.created_at })]],
            ["Changed", [h(When, { at: order.updated_at }), " · ", h(Age, { at: order.updated_at })]],
            ["Reason", order.reason ? words(order.reason) : undefined],
            ["Run again", order.resumes ? `${order.resumes} ×` : undefined],
            ["Looked after", order.due_at ? h(When, { at: order.due_at }) : undefined],
            [
              "Customer",
              h(
                "a",
                {
                  class: "code",
                  href: to("orders", undefined, { customer: order.customer_id }),
                  title: "All orders of this customer",
                },
                order.customer_id,
              ),
            ],
          ]),
        ])
      : undefined,
    card("Payment", [
      payment
        ? factList([
            ["Status", h(Badge, { status: payment.status })],
            ["Amount", payment.amount ? money(payment.amount) : "never asked for"],
            ["Declined for", payment.decline_code ? words(payment.decline_code) : undefined],
            [
              "At the gateway",
              payment.intent_id
                ? [
                    h("span", { class: "code" }, payment.intent_id),
                    h(Copy, { text: payment.intent_id, what: "the intent's id" }),
                  ]
                : undefined,
            ],
            ["Since", h(When, { at: payment.updated_at })],
            ...refunds.map((refund): Fact => [
              "Refund",
              `${money(refund.amount)}, ${refund.reason} (${words(refund.status)})`,
            ]),
          ])
        : h("p", { class: "soft" }, "Nothing was charged yet."),
    ]),
    card("Stock", [
      reservation
        ? factList([
            ["Status", h(Badge, { status: reservation.status })],
            ["Since", h(When, { at: reservation.updated_at })],
            ["Held", reservation.lines ? undefined : "nothing, ever"],
          ])
        : h("p", { class: "soft" }, "Nothing was reserved yet."),
    ]),
  ];
}

type Fact = [name: string, value: VNodeChild];

function factList(known: Fact[]): VNodeChild {
  const told = known.filter(([, value]) => value !== undefined);
  return h(
    "dl",
    { class: "facts" },
    told.map(([name, value], index) => h("div", { key: index }, [h("dt", name), h("dd", [value])])),
  );
}

function card(title: string, content: VNodeChild[]): VNodeChild {
  return h("section", { class: "card", key: title }, [h("h2", title), ...content]);
}

function lineTable(lines: Line[], total: Money | null): VNodeChild {
  return h("table", { class: "lines-table" }, [
    h(
      "tbody",
      lines.map(({ sku, quantity, unit_price }) =>
        h("tr", { key: sku }, [
          h("td", [
            h(
              "a",
              { class: "code", href: to("orders", undefined, { sku }), title: "All orders with this product" },
              sku,
            ),
          ]),
          h("td", { class: "number" }, unit_price ? [quantity, " × ", money(unit_price)] : quantity),
        ]),
      ),
    ),
    total
      ? h("tfoot", h("tr", [h("th", { scope: "row" }, "Total"), h("td", { class: "number" }, money(total))]))
      : undefined,
  ]);
}
