// Stands in for `@scalar/themes`, which would put a theme into the page as a <style> element and knows fonts of another
// host. The theme of this page is theme.css.
export const themeIds: string[] = [];
export const themeLabels: Record<string, string> = {};
export const presets: Record<string, { slug: string; theme: string }> = {};

export function getThemeStyles(): string {
  return "";
}

/** Whether scrollbars take room of their own. */
export function hasObtrusiveScrollbars(): boolean {
  const outer = document.createElement("div");
  Object.assign(outer.style, {
    width: "50px",
    height: "50px",
    overflow: "scroll",
    position: "absolute",
    visibility: "hidden",
  });
  document.body.append(outer);
  const taken = outer.offsetWidth - outer.clientWidth;
  outer.remove();
  return taken > 0;
}
