import { defineComponent, h, ref, useTemplateRef, onMounted } from "vue";
import logo from "../logo.svg";
import { type Api, Refusal } from "./api.ts";
import { icon } from "./elements.ts";

/** The way in. */
export const SignIn = defineComponent({
  props: { api: { type: Object as () => Api, required: true } },
  setup({ api }) {
    const email = ref("");
    const password = ref("");
    const busy = ref(false);
    const failure = ref("");
    const first = useTemplateRef<HTMLInputElement>("first");
    onMounted(() => first.value?.focus());

    const submit = async (event: Event) => {
      event.preventDefault();
      if (busy.value) return;
      busy.value = true;
      failure.value = "";
      try {
        await api.signIn(email.value.trim(), password.value);
      } catch (error) {
        password.value = "";
        failure.value = saying(error);
      } finally {
        busy.value = false;
      }
    };
    const field = (label: string, model: typeof email, attributes: Record<string, unknown>) =>
      h("label", { class: "field" }, [
        h("span", label),
        h("input", {
          ...attributes,
          value: model.value,
          required: true,
          onInput: (event: Event) => (model.value = (event.target as HTMLInputElement).value),
        }),
      ]);

    return () =>
      h("main", { class: "gate" }, [
        h("form", { class: "gate-card", onSubmit: submit, "aria-labelledby": "gate-title" }, [
          h("img", { src: logo, alt: "", width: 40, height: 40 }),
          h("h1", { id: "gate-title" }, "Oxcart Console"),
          h("p", { class: "soft" }, "For those who look after the shop."),
          api.ended.value && !failure.value
            ? h("p", { class: "notice notice-plain" }, "Your session has ended. Sign in again to go on.")
            : undefined,
          failure.value
            ? h("p", { class: "notice notice-bad", role: "alert" }, [icon("alert"), failure.value])
            : undefined,
          field("E-mail address", email, { ref: "first", type: "email", name: "email", autocomplete: "username" }),
          field("Password", password, { type: "password", name: "password", autocomplete: "current-password" }),
          h("button", { class: "strong", disabled: busy.value }, busy.value ? "Signing in…" : "Sign in"),
        ]),
      ]);
  },
});

function saying(error: unknown): string {
  if (!(error instanceof Refusal)) return error instanceof Error ? error.message : String(error);
  if (error.status === 401) return "No user has this e-mail address and this password.";
  if (error.status === 422) return "That can't be an e-mail address and its password.";
  if (error.retryAfter) return `Too many attempts. Try again in ${Math.ceil(error.retryAfter / 1000)} seconds.`;
  return error.message;
}

/** For who has signed in, but has no business here. */
export const NotForCustomers = defineComponent({
  props: { api: { type: Object as () => Api, required: true } },
  setup({ api }) {
    return () =>
      h("main", { class: "gate" }, [
        h("div", { class: "gate-card", role: "alert" }, [
          h("img", { src: logo, alt: "", width: 40, height: 40 }),
          h("h1", "This is not for customers"),
          h("p", [
            "You are signed in as ",
            h("strong", api.user.value?.email),
            ", a customer. The console is for support and administrators only.",
          ]),
          h("p", { class: "soft" }, "If you have been given another role just now, sign in again."),
          h("button", { type: "button", class: "strong", onClick: () => void api.signOut() }, "Sign out"),
        ]),
      ]);
  },
});
