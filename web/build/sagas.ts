import { readFile, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Plugin } from "vite";
import { draw } from "../src/console/saga/drawing.ts";
import { type Machine, readGraphs } from "../src/console/saga/graph.ts";

const MACHINE = ".asl.json";

/** Answers an import of `<state machine>.asl.json?drawn` with its drawing, among the machines beside it. */
export function drawSagas(): Plugin {
  return {
    name: "draw-sagas",
    load: {
      order: "pre",
      filter: { id: /\.asl\.json\?drawn$/ },
      async handler(id) {
        const file = id.replace(/\?drawn$/, "");
        const folder = dirname(file);
        const names = (await readdir(folder)).filter((name) => name.endsWith(MACHINE)).sort();
        const machines: Record<string, Machine> = {};
        for (const name of names) {
          this.addWatchFile(join(folder, name));
          machines[name] = JSON.parse(await readFile(join(folder, name), "utf8")) as Machine;
        }
        const drawing = draw(readGraphs(machines)[basename(file)]!);
        return { code: `export default ${JSON.stringify(drawing)};`, moduleType: "js" };
      },
    },
  };
}
