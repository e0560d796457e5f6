// The small pieces that all views are made of.
import {
  type FunctionalComponent,
  type VNode,
  type VNodeChild,
  defineComponent,
  h,
  onBeforeUnmount,
  onMounted,
  ref,
} from "vue";
import { isRefusal } from "./feed.ts";
import { age, local, utc } from "./moments.ts";

/** The time, to the second, for whoever shows how old something is. */
export const now = ref(Date.now());
setInterval(() => !document.hidden && (now.value = Date.now()), 1000);
document.addEventListener("visibilitychange", () => (now.value = Date.now()));

/** How long ago something was. */
export const Age: FunctionalComponent<{ at: string }> = ({ at }) =>
  h("time", { class: "age", datetime: at, title: `${local(at, 0)}\n${utc(at)}` }, age(now.value - Date.parse(at)));

/** When something was, here; on hover, in UTC. */
export const When: FunctionalComponent<{ at: string; precise?: boolean }> = ({ at, precise = false }) =>
  h("time", { class: "when", datetime: at, title: utc(at) }, local(at, now.value, precise));
When.props = { at: String, precise: Boolean } as never;

type Tone = "good" | "busy" | "bad" | "odd" | "plain";
const TONES: Record<string, Tone> = {
  CONFIRMED: "good",
  CHARGED: "good",
  HELD: "good",
  SUCCEEDED: "good",
  PENDING: "busy",
  CANCELLING: "busy",
  REFUNDING: "busy",
  RUNNING: "busy",
  REJECTED: "odd",
  DECLINED: "odd",
  FAILED: "bad",
  TIMED_OUT: "bad",
  ABORTED: "bad",
};

/** What something is at, as "Confirmed". */
export const Badge: FunctionalComponent<{ status: string; quiet?: boolean }> = ({ status, quiet }) =>
  h(
    "span",
    { class: ["badge", `badge-${TONES[status] ?? "plain"}`, { "badge-quiet": quiet }], "data-status": status },
    [words(status)],
  );
Badge.props = { status: String, quiet: Boolean } as never;

/** `TIMED_OUT` as "Timed out", `payment-declined` as "Payment declined". */
export function words(name: string): string {
  const text = name.replace(/[_-]/g, " ").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** As much of an id as tells it from the others on the screen. */
export const short = (id: string): string => id.slice(0, 8);

const ICONS = {
  search: "M11 11l3.5 3.5M7 12.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11z",
  copy: "M5.5 5.5V2.5h8v8h-3M2.5 5.5h8v8h-8z",
  done: "M3 8.5l3.5 3.5L13 4.5",
  close: "M4 4l8 8M12 4l-8 8",
  previous: "M10 3L5 8l5 5",
  next: "M6 3l5 5-5 5",
  alert: "M8 2l6.5 11.5h-13zM8 6.5v3.2M8 11.4v.3",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3l8 5-8 5z",
  light: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1",
  dark: "M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7z",
  auto: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 2v12M8 4.5h3.5M8 7h5M8 9.5h5M8 12h3.5",
  redo: "M13 8a5 5 0 1 1-1.6-3.7M13.5 1.8v3h-3",
} as const;
export type IconName = keyof typeof ICONS;

/** A picture beside words. */
export const icon = (name: IconName): VNode =>
  h("svg", { class: "icon", viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, [
    h("path", { d: ICONS[name] }),
  ]);

/** Copies a text for whoever pastes it elsewhere. */
export const Copy = defineComponent({
  props: { text: { type: String, required: true }, what: { type: String, required: true } },
  setup(props) {
    const done = ref(false);
    let timer: ReturnType<typeof setTimeout>;
    onBeforeUnmount(() => clearTimeout(timer));
    const copy = async () => {
      await navigator.clipboard.writeText(props.text);
      done.value = true;
      clearTimeout(timer);
      timer = setTimeout(() => (done.value = false), 1500);
    };
    return () =>
      h(
        "button",
        {
          type: "button",
          class: ["bare", "copy", { "copy-done": done.value }],
          title: `Copy ${props.what}`,
          "aria-label": done.value ? "Copied" : `Copy ${props.what}`,
          onClick: () => void copy().catch(() => {}),
        },
        icon(done.value ? "done" : "copy"),
      );
  },
});

/** What is to be seen until there is something. */
export function skeleton(rows: number): VNode {
  const bars = Array.from({ length: rows }, () => h("div", { class: "skeleton-row" }));
  return h("div", { class: "skeleton", role: "status", "aria-label": "Loading" }, bars);
}

/** Nothing to see, and why. */
export function nothing(title: string, ...more: VNodeChild[]): VNode {
  return h("div", { class: "nothing" }, [h("p", { class: "nothing-title" }, title), ...more]);
}

/** What went wrong with reading, and whether it is tried again. */
export function trouble(error: Error, retry: () => void): VNode {
  const says = isRefusal(error, 403) ? "Your role may not read this." : error.message;
  return h("div", { class: "notice notice-bad", role: "alert" }, [
    icon("alert"),
    h("p", says),
    h("button", { type: "button", class: "small", onClick: retry }, "Try again"),
  ]);
}

/** A window in front of the rest, which is out of reach for as long as it is open. */
export const Modal = defineComponent({
  props: { title: { type: String, required: true } },
  emits: ["close"],
  setup(props, { emit, slots }) {
    const dialog = ref<HTMLDialogElement>();
    onMounted(() => dialog.value?.showModal());
    return () =>
      h(
        "dialog",
        {
          ref: dialog,
          "aria-labelledby": "dialog-title",
          onClose: () => emit("close"),
          onClick: (event: MouseEvent) => event.target === dialog.value && dialog.value?.close(),
        },
        h("div", { class: "dialog" }, [h("h2", { id: "dialog-title" }, props.title), slots["default"]?.()]),
      );
  },
});
