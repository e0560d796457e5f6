import { ref, watch } from "vue";

type Theme = "auto" | "light" | "dark";
const SHELF = "oxcart-console-colours";
const THEMES: Theme[] = ["auto", "light", "dark"];

/** Which colours are wanted; `auto` are those of the system. */
export const theme = ref<Theme>(THEMES.find((one) => one === localStorage.getItem(SHELF)) ?? "auto");

watch(
  theme,
  (is) => {
    document.documentElement.style.colorScheme = is === "auto" ? "" : is;
    if (is === "auto") localStorage.removeItem(SHELF);
    else localStorage.setItem(SHELF, is);
  },
  { immediate: true },
);

/** Changes them. */
export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length]!;
}
