import { defineComponent, h, onUnmounted, ref } from "vue";
import logo from "./logo.svg";
import { session } from "./session.ts";

/** The wordmark above the navigation, and whether somebody is signed in. */
export const Header = defineComponent({
  setup() {
    const now = ref(Date.now());
    const clock = setInterval(() => (now.value = Date.now()), 10_000);
    onUnmounted(() => clearInterval(clock));

    return () => {
      const signedIn = session.until !== undefined && session.until.getTime() > now.value;
      const time = session.until?.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
      return h("div", { class: "oxcart-header" }, [
        h("a", { class: "oxcart-wordmark", href: "#" }, [
          h("img", { src: logo, alt: "", width: 26, height: 26 }),
          h("span", "Oxcart"),
          h("span", { class: "oxcart-wordmark-kind" }, "API"),
        ]),
        h(
          "span",
          {
            class: ["oxcart-session", { "oxcart-session-on": signedIn }],
            role: "status",
            title: signedIn ? `Until ${time}` : undefined,
          },
          signedIn ? "Signed in" : "Not signed in",
        ),
      ]);
    };
  },
});
