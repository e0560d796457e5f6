// Where in the console one is: what follows the `#` of its address.
import { type ComputedRef, computed, shallowRef } from "vue";

const hash = shallowRef(location.hash);
addEventListener("hashchange", () => (hash.value = location.hash));

export interface Route {
  /** `orders`, `queues`, `stock` or `money`. */
  place: string;
  /** Which one of them. */
  what: string | undefined;
  query: URLSearchParams;
}

export const route = computed<Route>(() => {
  const [path = "", query = ""] = hash.value.replace(/^#\/?/, "").split("?");
  const [place, what] = path.split("/");
  return {
    place: place || "orders",
    what: what ? decodeURIComponent(what) : undefined,
    query: new URLSearchParams(query),
  };
});

/** What the address of a view says of how it is seen. Stays as it is when the view is left. */
export function queryOf(view: string): ComputedRef<URLSearchParams> {
  return computed<URLSearchParams>((before) => {
    const { place, what, query } = route.value;
    return place === view && what === undefined ? query : (before ?? new URLSearchParams());
  });
}

/** The list of orders as it was left, with its filters. */
export const lastList = shallowRef("#/orders");

/** An address within the console; parameters without a value are left out. */
export function to(place: string, what?: string, query: Record<string, string | undefined> = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) parameters.set(name, value);
  const text = parameters.toString();
  return `#/${place}${what === undefined ? "" : `/${encodeURIComponent(what)}`}${text && `?${text}`}`;
}

/** Goes there; in place of where one is if it is only seen in another light. */
export function go(address: string, replace = false): void {
  if (replace) history.replaceState(null, "", address);
  else location.hash = address;
  hash.value = address;
}
