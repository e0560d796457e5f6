// What single keys do, unless somebody is writing or has switched them off.
import { ref, watch } from "vue";
import { still } from "./feed.ts";
import { go, to } from "./route.ts";

const SHELF = "oxcart-console-keys";

/** Each with what it does, for who asks. */
export const KEYS: [keys: string[], does: string][] = [
  [["/"], "Search"],
  [["j", "k"], "The next row, the one before"],
  [["Enter"], "Open the row"],
  [["g", "o"], "Orders; with q, s, m: queues, stock, money"],
  [["p"], "Pause, and go on"],
  [["?"], "These keys"],
];

/** Whether they do anything. */
export const keysOn = ref(localStorage.getItem(SHELF) !== "off");
watch(keysOn, (on) => (on ? localStorage.removeItem(SHELF) : localStorage.setItem(SHELF, "off")));

const PLACES: Record<string, string> = { o: "orders", q: "queues", s: "stock", m: "money" };
const PATIENCE = 1000;

/** Listens to them; answers how to stop. */
export function listen({ help }: { help: () => void }): () => void {
  let led = -Infinity;
  const heard = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    const writes = target.matches("input:not([type=checkbox]), textarea, select") || target.closest("dialog");
    if (!keysOn.value || writes || event.ctrlKey || event.metaKey || event.altKey) return;
    const place = event.timeStamp - led < PATIENCE ? PLACES[event.key] : undefined;
    led = event.key === "g" ? event.timeStamp : -Infinity;
    if (place) go(to(place));
    else if (event.key === "/") document.querySelector<HTMLElement>("input[type=search]")?.focus();
    else if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
    else if (event.key === "p") still.value = !still.value;
    else if (event.key === "?") help();
    else return;
    event.preventDefault();
  };
  addEventListener("keydown", heard);
  return () => removeEventListener("keydown", heard);
}

function step(by: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-row]")];
  const at = rows.findIndex((row) => row.contains(document.activeElement) || row === document.activeElement);
  const next = rows[at === -1 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1)];
  (next?.querySelector<HTMLElement>("a, button") ?? next)?.focus();
}
