// The reference and its looks, apart from the page's own code: it is most of the page and seldom changes.
export { ApiReference } from "@scalar/api-reference";
import "@scalar/api-reference/style.css";
import "./theme.css";
