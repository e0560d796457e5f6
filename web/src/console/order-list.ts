// The orders that were found, newest first, put together from pages that were read at different times. Pure.
import type { FoundOrder, Page } from "./contract.ts";

export interface OrderList {
  orders: FoundOrder[];
  /** Where older ones are; null: there are none. */
  cursor: string | null;
  /** Whether pages after the first have been read. */
  isDeep: boolean;
}

/** The list with its first page as it is now. */
export function withFirstPage(list: OrderList | undefined, page: Page<FoundOrder>): OrderList {
  const fresh = { orders: page.items, cursor: page.next_cursor, isDeep: false };
  if (!list?.isDeep) return fresh;
  const known = new Set(list.orders.map(({ id }) => id));
  const last = page.items.at(-1);
  // So much is new that what lies between the page and the rest was never read.
  if (!last || (page.next_cursor !== null && !page.items.some(({ id }) => known.has(id)))) return fresh;
  const here = new Set(page.items.map(({ id }) => id));
  const older = list.orders.filter((order) => !here.has(order.id) && isOlder(order, last));
  return { orders: [...page.items, ...older], cursor: list.cursor, isDeep: true };
}

/** The list with a page of older orders at its end. */
export function withOlderPage(list: OrderList, page: Page<FoundOrder>): OrderList {
  const known = new Set(list.orders.map(({ id }) => id));
  const older = page.items.filter(({ id }) => !known.has(id));
  return { orders: [...list.orders, ...older], cursor: page.next_cursor, isDeep: true };
}

function isOlder(one: FoundOrder, other: FoundOrder): boolean {
  return one.created_at < other.created_at || (one.created_at === other.created_at && one.id !== other.id);
}

/** What may be meant by a search. */
export type Meant = { by: "order" | "customer" | "sku"; value: string };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const SKU = /^[A-Za-z0-9._-]{1,64}$/;

/** What somebody may be looking for, the likeliest first. */
export function meanings(text: string): Meant[] {
  const value = text.trim();
  const [, version] = UUID.exec(value.toLowerCase()) ?? [];
  if (version !== undefined) {
    const id = value.toLowerCase();
    const both: Meant[] = [
      { by: "order", value: id },
      { by: "customer", value: id },
    ];
    // The ids of orders are made from something (version 5), those of customers are random.
    return version === "5" ? both : both.reverse();
  }
  return SKU.test(value) ? [{ by: "sku", value }] : [];
}
