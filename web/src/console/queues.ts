import { type VNodeChild, computed, defineComponent, h, ref, shallowRef, watch } from "vue";
import type { Api } from "./api.ts";
import { confirm, tell, tellFailure } from "./asking.ts";
import type { Message, Page, Queue, Redriven } from "./contract.ts";
import { Age, Copy, icon, nothing, short, skeleton, trouble } from "./elements.ts";
import { type Feed, isRefusal, useFeed } from "./feed.ts";
import { count } from "./money.ts";
import { route, to } from "./route.ts";

const HOLDS: Record<Queue["holds"], { what: string; redriven: string }> = {
  "dead-letters": {
    what: "What a consumer could not handle",
    redriven: "It goes back to the queue that it came from, and is handled once more.",
  },
  "parked-orders": { what: "Orders whose saga gave up", redriven: "The saga of its order is run again." },
  "parked-events": {
    what: "Events that could not be published",
    redriven: "The event is published from the item that still holds it.",
  },
};

export const QueuesView = defineComponent({
  props: {
    api: { type: Object as () => Api, required: true },
    queues: { type: Object as () => Feed<Page<Queue>>, required: true },
  },
  setup({ api, queues }) {
    const name = computed(() => route.value.what);
    return () => {
      const items = queues.value.value?.items;
      const failure = queues.failure.value;
      const open = items?.find((queue) => queue.name === name.value);
      return [
        h("div", { class: "view-head" }, [
          h("h1", "Queues"),
          h("p", { class: "soft" }, "What was given up, and waits for somebody to mend what was wrong."),
        ]),
        failure ? trouble(failure, queues.hurry) : undefined,
        items
          ? h("div", { class: "queues" }, [
              h(
                "nav",
                { class: "queue-list", "aria-label": "Queues" },
                items.map((queue) => entry(queue, queue === open)),
              ),
              h("section", { class: "card queue-messages", "aria-label": "Messages" }, [
                open
                  ? h(Messages, { api, queue: open, key: open.name, onChanged: queues.hurry })
                  : nothing(
                      name.value === undefined ? "Choose a queue" : "There is no such queue",
                      h(
                        "p",
                        items.every(({ messages }) => messages === 0)
                          ? "All of them are empty. That is how it should be."
                          : "",
                      ),
                    ),
              ]),
            ])
          : failure
            ? undefined
            : skeleton(6),
      ];
    };
  },
});

function entry(queue: Queue, isOpen: boolean): VNodeChild {
  return h(
    "a",
    {
      key: queue.name,
      href: to("queues", queue.name),
      class: ["queue", { "queue-full": queue.messages > 0 }],
      "aria-current": isOpen ? "true" : undefined,
      "data-row": "",
      "data-queue": queue.name,
    },
    [
      h("span", { class: "queue-name" }, queue.name),
      h("span", { class: "queue-depth", "data-messages": queue.messages }, count(queue.messages)),
      h("span", { class: "soft queue-what" }, HOLDS[queue.holds].what),
      queue.in_flight > 0
        ? h("span", { class: "faint queue-held" }, `${count(queue.in_flight)} being looked at`)
        : undefined,
    ],
  );
}

/** The messages of one queue, as they were when it was looked into: looking holds them for a moment. */
const Messages = defineComponent({
  props: { api: { type: Object as () => Api, required: true }, queue: { type: Object as () => Queue, required: true } },
  emits: ["changed"],
  setup(props, { emit }) {
    const { api } = props;
    const path = `operations/queues/${encodeURIComponent(props.queue.name)}`;
    const feed = useFeed<Page<Message>>(api, { kind: "messages", path: () => `${path}/messages`, every: () => 30_000 });
    const busy = ref(false);
    const results = shallowRef(new Map<string, { done: boolean; says: string }>());
    watch(() => props.queue.messages, feed.hurry);

    const redrive = async (message?: Message) => {
      const { redriven } = HOLDS[props.queue.holds];
      const agreed = await confirm({
        title: message ? "Try this message again?" : `Try all ${count(props.queue.messages)} messages again?`,
        text: `${message ? redriven : `Of each: ${redriven.charAt(0).toLowerCase()}${redriven.slice(1)} 100 at once at most.`} Doing it twice does no harm, but what was wrong should be mended first.`,
        action: message ? "Try again" : "Try all again",
      });
      if (!agreed) return;
      busy.value = true;
      try {
        const body = message ? { message_ids: [message.id] } : {};
        const { items } = await api.send<Redriven>(`${path}/redrive`, body);
        results.value = new Map([
          ...results.value,
          ...items.map(({ id, done, says }) => [id, { done, says }] as const),
        ]);
        const done = items.filter((item) => item.done).length;
        const failed = items.find((item) => !item.done);
        if (items.length === 0) tell("No message was found: somebody else may be looking at them.", "bad");
        else if (!failed) tell(items.length === 1 ? items[0]!.says : `${done} messages are tried again.`);
        else tell(`${done} of ${items.length} are tried again. ${failed.says}`, "bad");
        emit("changed");
        feed.hurry();
      } catch (error) {
        tellFailure(error);
      } finally {
        busy.value = false;
      }
    };

    return () => {
      const { value, failure } = feed;
      const { queue } = props;
      const messages = value.value?.items;
      return [
        h("div", { class: "card-head" }, [
          h("h2", queue.name),
          h("span", { class: "soft" }, HOLDS[queue.holds].what),
          h(
            "button",
            { type: "button", class: "end", disabled: busy.value || !messages?.length, onClick: () => void redrive() },
            [icon("redo"), busy.value ? "Trying…" : "Try all again"],
          ),
        ]),
        failure.value ? trouble(failure.value, feed.hurry) : undefined,
        messages?.length
          ? h(
              "ul",
              { class: "messages" },
              messages.map((message) => one(message)),
            )
          : messages
            ? nothing(
                "Nothing in here",
                h("p", queue.messages > 0 ? "Its messages are being looked at right now." : ""),
              )
            : isRefusal(failure.value)
              ? undefined
              : skeleton(4),
        messages && queue.messages > messages.length && messages.length > 0
          ? h("p", { class: "soft foot" }, `${messages.length} of about ${count(queue.messages)} are shown.`)
          : undefined,
      ];
    };

    function one(message: Message): VNodeChild {
      const result = results.value.get(message.id);
      return h("li", { key: message.id, "data-message": message.id }, [
        h("div", { class: "message-head" }, [
          h("strong", message.event_type ?? (props.queue.holds === "parked-orders" ? "Parked order" : "Message")),
          message.sent_at ? h(Age, { at: message.sent_at }) : undefined,
          h("span", { class: "soft" }, message.receives === 1 ? "seen once" : `seen ${count(message.receives)} times`),
          h(
            "button",
            { type: "button", class: "small end", disabled: busy.value, onClick: () => void redrive(message) },
            "Try again",
          ),
        ]),
        message.cause ? h("p", { class: "message-cause" }, message.cause) : undefined,
        h("p", { class: "soft message-about" }, [
          message.order_id
            ? [
                h("span", "Order "),
                h(
                  "a",
                  { class: "code", href: to("orders", message.order_id), title: message.order_id },
                  short(message.order_id),
                ),
              ]
            : message.subject
              ? [h("span", "About "), h("span", { class: "code" }, message.subject)]
              : "It does not say what it is about.",
          message.trace_id
            ? [
                h("span", " · trace "),
                h("span", { class: "code" }, short(message.trace_id)),
                h(Copy, { text: message.trace_id, what: "the trace's id" }),
              ]
            : undefined,
        ]),
        result ? h("p", { class: result.done ? "good" : "bad", role: "status" }, result.says) : undefined,
      ]);
    }
  },
});
