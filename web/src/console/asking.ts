// Asking the person in front of the console, and telling them how something went.
import { defineComponent, h, nextTick, shallowRef, useTemplateRef } from "vue";
import { Modal, icon } from "./elements.ts";

interface Question {
  title: string;
  text: string;
  /** What is done if they agree, as the words on the button. */
  action: string;
  answer: (agreed: boolean) => void;
}
const question = shallowRef<Question>();

/** Whether they agree. */
export function confirm(asked: Omit<Question, "answer">): Promise<boolean> {
  return new Promise((resolve) => {
    question.value = {
      ...asked,
      answer(agreed) {
        question.value = undefined;
        resolve(agreed);
      },
    };
  });
}

const Confirmation = defineComponent({
  props: { asked: { type: Object as () => Question, required: true } },
  setup(props) {
    const button = useTemplateRef<HTMLButtonElement>("button");
    void nextTick(() => button.value?.focus());
    return () =>
      h(Modal, { title: props.asked.title, onClose: () => props.asked.answer(false) }, () => [
        h("p", props.asked.text),
        h("div", { class: "dialog-actions" }, [
          h("button", { type: "button", onClick: () => props.asked.answer(false) }, "Leave it"),
          h(
            "button",
            { type: "button", class: "strong", ref: "button", onClick: () => props.asked.answer(true) },
            props.asked.action,
          ),
        ]),
      ]);
  },
});

interface Told {
  id: number;
  text: string;
  tone: "good" | "bad";
}
const told = shallowRef<Told[]>([]);
let last = 0;
const READING_TIME = 9_000;

/** Tells how something went. */
export function tell(text: string, tone: Told["tone"] = "good"): void {
  const id = ++last;
  told.value = [...told.value.slice(-2), { id, text, tone }];
  setTimeout(() => forget(id), READING_TIME);
}

/** Tells why something could not be done. */
export function tellFailure(error: unknown): void {
  tell(error instanceof Error ? error.message : String(error), "bad");
}

function forget(id: number): void {
  told.value = told.value.filter((one) => one.id !== id);
}

/** Where both are seen. */
export const Asking = () => [
  question.value && h(Confirmation, { asked: question.value }),
  h(
    "div",
    { class: "told", role: "status" },
    told.value.map(({ id, text, tone }) =>
      h("div", { key: id, class: ["toast", `toast-${tone}`] }, [
        icon(tone === "good" ? "done" : "alert"),
        h("span", text),
        h(
          "button",
          { type: "button", class: "bare", "aria-label": "Dismiss", onClick: () => forget(id) },
          icon("close"),
        ),
      ]),
    ),
  ),
];
