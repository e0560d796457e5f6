import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { Plugin } from "vite";
import { parse } from "yaml";
import { type Problem, problemPage, readProblem } from "./problem-page.ts";

export interface Sources {
  /** The OpenAPI document. */
  openapi: string;
  /** The folder with a Markdown file for each type of problem. */
  problems: string;
  /** A folder that keeps what was compressed before: the largest file takes most of a build, and seldom changes. */
  cache: string;
}

/** Adds what is beside the reference: the document as JSON, a page for each type of problem, and all of it packed. */
export function site(sources: Sources): Plugin {
  return {
    name: "site",
    apply: "build",
    async generateBundle(_options, bundle) {
      const description: unknown = parse(await readFile(sources.openapi, "utf8"));
      this.emitFile({ type: "asset", fileName: "openapi.json", source: `${JSON.stringify(description)}\n` });

      const asset = (name: string): string => {
        const found = Object.values(bundle).find((file) => file.type === "asset" && file.names.includes(name));
        return found?.fileName ?? this.error(`The build has no ${name}`);
      };
      const look = { style: asset("problem.css"), logo: asset("logo.svg") };
      const problems: Problem[] = await Promise.all(
        (await readdir(sources.problems))
          .filter((file) => file.endsWith(".md"))
          .sort()
          .map(async (file) => readProblem(file.slice(0, -3), await readFile(join(sources.problems, file), "utf8"))),
      );
      for (const problem of problems) {
        this.emitFile({
          type: "asset",
          fileName: `problems/${problem.name}.html`,
          source: problemPage(problem, problems, look),
        });
      }
    },
    async writeBundle({ dir }, bundle) {
      await mkdir(sources.cache, { recursive: true });
      await Promise.all(
        Object.keys(bundle)
          .filter((file) => /\.(html|js|css|svg|json|txt)$/.test(file))
          .map((file) => compress(join(dir!, file), sources.cache)),
      );
    },
  };
}

const brotli = promisify(brotliCompress);
const zip = promisify(gzip);

/** Leaves `<file>.br` and `<file>.gz` beside a file that is worth it. */
async function compress(file: string, cache: string): Promise<void> {
  const content = await readFile(file);
  if (content.length <= 1024) return;
  await writeFile(`${file}.gz`, await zip(content, { level: constants.Z_BEST_COMPRESSION }));
  const cached = join(cache, `${createHash("sha256").update(content).digest("hex")}.br`);
  const known = await readFile(cached).catch(() => undefined);
  const compressed = known ?? (await brotli(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
  await writeFile(`${file}.br`, compressed);
  if (known) return;
  // Whole or not at all, even if the build is stopped here.
  await writeFile(`${cached}.part`, compressed);
  await rename(`${cached}.part`, cached);
}
