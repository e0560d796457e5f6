// The README shows an example that compiles and runs: the one in examples/.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), "utf8");

test("the example in the README is examples/purchase.ts", async () => {
  const [, shown] = /```ts\n([^]*?)```/.exec(await read("README.md")) ?? [];
  assert.equal(shown, await read("examples/purchase.ts"));
});
