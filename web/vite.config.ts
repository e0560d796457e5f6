import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { licences } from "./build/licences.ts";
import { patchPackages } from "./build/patches.ts";
import { drawSagas } from "./build/sagas.ts";
import { site } from "./build/site.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const nothing = path("src/left-out/nothing.ts");

export default defineConfig({
  // Assets are found relative to the page, wherever the API is.
  base: "./",
  logLevel: "warn",
  plugins: [
    patchPackages(),
    drawSagas(),
    licences(),
    site({
      openapi: path("../infra/openapi.yaml"),
      problems: path("../docs/problems"),
      cache: path("node_modules/.cache/brotli"),
    }),
  ],
  resolve: {
    alias: [
      { find: /^@scalar\/themes$/, replacement: path("src/left-out/themes.ts") },
      { find: /^@scalar\/icons\/library$/, replacement: nothing },
      { find: /^.*\/AgentScalarDrawer\.vue\.js$/, replacement: nothing },
      { find: /^.*\/DeveloperTools\.vue\.js$/, replacement: nothing },
    ],
    dedupe: ["vue"],
  },
  build: {
    outDir: path("../target/site"),
    emptyOutDir: true,
    assetsDir: "docs",
    assetsInlineLimit: 0,
    // The first that know light-dark().
    target: ["chrome123", "firefox120", "safari17.5"],
    chunkSizeWarningLimit: 4000,
    rolldownOptions: {
      checks: { pluginTimings: false, bundlerTimings: false },
      input: { docs: path("docs.html"), console: path("console.html"), problem: path("src/problem.css") },
      // The reference and the console share it, and it changes when neither does.
      output: { codeSplitting: { groups: [{ name: "vue", test: /\/node_modules\/(?:@vue\/|vue\/)/ }] } },
    },
  },
});
