import { h } from "vue";

/** Where the build has put the licences of the packages that are in here. */
const licences = document.querySelector<HTMLMetaElement>("meta[name=licences]")?.content;

/** What nobody looks for, and has to be there. */
export const Footer = () => h("footer", { class: "oxcart-footer" }, h("a", { href: licences }, "Licences"));
