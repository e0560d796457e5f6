import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

const modules = fileURLToPath(new URL("../node_modules", import.meta.url));

/** Packages that come without the text of their licence: another one of the same authors, which has it. */
const sameAs: Record<string, string> = {
  "@headlessui/vue": "@headlessui/tailwindcss",
  "@scalar/api-reference": "@scalar/components",
  "@scalar/schemas": "@scalar/components",
  "@scalar/workspace-store": "@scalar/components",
  "unist-util-find-after": "unist-util-is",
};

/** Packages without such a text even in their repository: what they say instead. */
const said: Record<string, string> = {
  "@replit/codemirror-css-color-picker":
    "By Faris Masad, under the MIT License. It comes without the text, which is that of the other packages under it.",
};

/** Packages with parts of others in their files, where no comment says so. */
const drawnFrom: Record<string, string[]> = {
  "@scalar/api-reference": ["tailwindcss"],
  "@scalar/icons": ["@phosphor-icons/core"],
};

/** Writes the licences of all packages in the scripts and styles into a file, and the file's address into the page. */
export function licences(): Plugin {
  let address: string | undefined;
  return {
    name: "licences",
    apply: "build",
    generateBundle: {
      // The page is made after this.
      order: "pre",
      async handler(_options, bundle) {
        const chunks = Object.values(bundle).filter((file) => file.type === "chunk");
        const source = await textFor(new Set(chunks.flatMap(({ moduleIds }) => moduleIds)));
        address = this.getFileName(this.emitFile({ type: "asset", name: "licences.txt", source }));
      },
    },
    transformIndexHtml: {
      order: "post",
      handler: () => [{ tag: "meta", attrs: { name: "licences", content: `./${address}` }, injectTo: "head" }],
    },
  };
}

async function textFor(ids: Set<string>): Promise<string> {
  /** The packages by their folders, with what their files say of whose they are. */
  const packages = new Map<string, Set<string>>();
  const noticesOf = (folder: string) => {
    const notices = packages.get(folder) ?? new Set();
    packages.set(folder, notices);
    return notices;
  };
  for (const id of ids) {
    // A helper of the bundler's own begins like this.
    const [, helper] = /^\0([^/:]+)/.exec(id) ?? [];
    const [, folder] = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id) ?? [];
    if (helper !== undefined) noticesOf(join(modules, helper));
    else if (folder !== undefined) {
      const code = await readFile(id.replace(/\?.*$/, ""), "utf8");
      const notices = noticesOf(folder);
      for (const notice of noticesIn(code)) notices.add(notice);
      for (const name of [...packagesIn(code), ...(drawnFrom[nameOf(folder)] ?? [])]) noticesOf(join(modules, name));
    }
  }

  const names = new Map<string, Set<string>>();
  for (const [folder, notices] of packages) {
    const text = [await licenceOf(folder), ...[...notices].sort()].join("\n\n");
    names.set(text, (names.get(text) ?? new Set()).add(nameOf(folder)));
  }
  const entries = [...names].map(([text, of]) => `${[...of].sort().join("\n")}\n\n${indented(text)}\n`).sort();
  return ["The pages with scripts are made with these packages, under these licences.\n", ...entries].join("\n\n");
}

/** The comments of a file that say whose it is; there are none in what is served. */
function noticesIn(code: string): string[] {
  const comments = code.match(/\/\*[^]*?\*\/|(?:^[ \t]*\/\/.*\n)+/gm) ?? [];
  return comments
    .filter((comment) => /Copyright (?:\([cC]\)|©|[\dA-Z])/.test(comment))
    .map((comment) => comment.replace(/^[ \t]*(?:\/\*+!?|\*\/|\*|\/\/)[ \t]?|\*+\/$/gm, "").trim());
}

/** The packages that a bundler put into a file: it says where each part is from. */
function packagesIn(code: string): string[] {
  const parts = code.matchAll(/^\/\/#region .*\bnode_modules\/((?:@[^/\n]+\/)?[^/\n]+)\/.*$/gm);
  return [...new Set([...parts].map(([, name]) => name!))];
}

function nameOf(folder: string): string {
  return folder.replace(/^.*\/node_modules\//, "");
}

/** Fails for a package whose licence nobody has looked for. */
async function licenceOf(folder: string): Promise<string> {
  const name = nameOf(folder);
  if (said[name] !== undefined) return said[name];
  const place = sameAs[name] === undefined ? folder : join(modules, sameAs[name]);
  const files = await readdir(place).catch(() => []);
  const texts = await Promise.all(
    files
      .filter((file) => /^(?:licen[cs]e|copying|notice)(?:[.-]|$)/i.test(file))
      .sort()
      .map((file) => readFile(join(place, file), "utf8")),
  );
  if (texts.length === 0) throw new Error(`Where is the licence of ${name}? Say so in build/licences.ts`);
  // What Vite is made of is not in what it makes.
  const own = texts.map((text) => text.replace(/\r/g, "").replace(/^# Licenses of bundled dependencies$[^]*/m, ""));
  return own.map((text) => text.trim()).join("\n\n");
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "    ");
}
