import type { Plugin } from "vite";

interface Patch {
  file: string;
  find: string | RegExp;
  replace: string;
  why: string;
}

/**
 * What a Content-Security-Policy without 'unsafe-inline' and 'unsafe-eval' refuses of the packages, whose versions are
 * pinned. It is done through the CSSOM here, which the policy has nothing against.
 */
const patches: Patch[] = [
  {
    file: "@scalar/api-reference/dist/components/ApiReference.vue.script.js",
    find: 'resolveDynamicComponent("style")',
    replace: 'resolveDynamicComponent("template")',
    why: "renders its theme as a <style> element; ours is a file, and what is left is empty",
  },
  {
    file: "@scalar/code-highlight/dist/chunks/code.js",
    find: /node\.properties\.style = \[[^\]]*\];/,
    replace: "",
    why: "writes style attributes into markup; theme.css has a width for all line numbers",
  },
  {
    file: "@scalar/use-toasts/dist/index.js",
    find: /var elementStyle = .*?createTextNode\((".*?[^\\]")\)\);\s*document\.head\.appendChild\(elementStyle\);/s,
    replace: "const sheet = new CSSStyleSheet(); sheet.replaceSync($1); document.adoptedStyleSheets.push(sheet);",
    why: "appends a <style> element",
  },
  {
    file: "vue-sonner/lib/vue-sonner.js",
    find: /let t = document\.head \|\|.*?n\.appendChild\(document\.createTextNode\(s\)\);/s,
    replace: "const sheet = new CSSStyleSheet(); sheet.replaceSync(s); document.adoptedStyleSheets.push(sheet);",
    why: "appends a <style> element",
  },
  {
    file: "style-mod/src/style-mod.js",
    find: "!root.head && root.adoptedStyleSheets",
    replace: "root.adoptedStyleSheets",
    why: "adopts style sheets in shadow roots only, and appends a <style> element elsewhere",
  },
  {
    file: "@codemirror/view/dist/index.js",
    find: /handlers\.beforeinput = \(view, event\) => \{\s*var _a, _b;/,
    replace: `$&
    const selection = view.root.getSelection();
    const typedOver = event.inputType == "insertText" && event.data && event.cancelable && !view.composing &&
      selection.rangeCount > 0 && selection.getRangeAt(0);
    if (typedOver && !typedOver.collapsed) {
      const from = view.posAtDOM(typedOver.startContainer, typedOver.startOffset);
      const to = view.posAtDOM(typedOver.endContainer, typedOver.endOffset);
      return applyDOMChangeInner(view, { from, to, insert: view.state.toText(event.data) }, null);
    }`,
    why: "lets the browser replace selected text: Chromium puts a style attribute on what is typed over coloured text",
  },
  {
    file: "zod/v4/core/util.js",
    find: /const F = Function;\s*new F\(""\);\s*return true;/,
    replace: "return false;",
    why: "tries whether it may compile code, which it may not, and which is reported",
  },
];

const escaped = (text: string) => text.replace(/[.*+?^$()[\]{}|\\]/g, "\\$&");

/** Applies the patches; fails if a package no longer looks as expected. */
export function patchPackages(): Plugin {
  const applied = new Set<Patch>();
  return {
    name: "patch-packages",
    transform: {
      filter: { id: new RegExp(`/node_modules/(?:${patches.map(({ file }) => escaped(file)).join("|")})$`) },
      handler(code, id) {
        let patched = code;
        for (const patch of patches.filter(({ file }) => id.endsWith(`/node_modules/${file}`))) {
          const before = patched;
          patched = before.replace(patch.find, patch.replace);
          if (patched === before) this.error(`${patch.file} has changed: find anew where it ${patch.why}`);
          applied.add(patch);
        }
        return { code: patched, map: null };
      },
    },
    buildEnd(error) {
      const missed = patches.filter((patch) => !applied.has(patch));
      if (!error && missed.length > 0)
        this.error(`No longer a part of the page: ${missed.map(({ file }) => file).join(", ")}`);
    },
  };
}
