// Drives the page at $API_URL/docs as a reader does, in Chromium: log in and place an order with its "Test Request",
// and read about a problem. SCREENSHOTS names a folder for pictures of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertStrict, watchedPages } from "./pages.mjs";
import { api, customer, product, settled, tokenOf } from "./shop.mjs";

const pages = watchedPages();
const { open, picture } = pages;

/** Opens "Test Request" of an operation, writes its body, sends it, and hands back request and answer. */
async function tryIt({ anchor, method, path, body }) {
  const { page } = pages;
  await page.goto(`${api}/docs#${anchor}`);
  await page.getByRole("button", { name: `Test Request (${method} ${path})` }).click();
  const dialog = page.getByRole("dialog", { name: "API Client" });
  const editor = dialog.locator(".cm-content[data-language=json]").first();
  await editor.click();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.insertText(JSON.stringify(body, null, 2));
  const [response] = await Promise.all([
    page.waitForResponse(
      (candidate) => candidate.url() === `${api}${path}` && candidate.request().method() === method.toUpperCase(),
    ),
    dialog.getByRole("button", { name: "Send", exact: false }).first().click(),
  ]);
  return { dialog, request: response.request(), response };
}

test("the page shows the API, in light and in dark, under a strict policy", async () => {
  let { page } = pages;
  assertStrict(await page.goto(`${api}/docs`));

  await page.getByRole("heading", { name: "Oxcart API", level: 1 }).waitFor();
  await page.getByRole("link", { name: "Place an order" }).first().waitFor();
  await page.getByText("Not signed in").first().waitFor();
  assert.equal(await page.title(), "Oxcart API");
  await picture("light");
  const licences = await page.getByRole("link", { name: "Licences" }).getAttribute("href");
  const text = await (await fetch(new URL(licences, `${api}/docs`))).text();
  assert.match(text, /^@scalar\/api-reference$/m);
  await page.context().close();

  page = await open({ colorScheme: "dark" });
  await page.goto(`${api}/docs#tag/orders/place-order`);
  await page.getByRole("button", { name: "Test Request (post /orders)" }).waitFor();
  const [red, green, blue] = await page.evaluate(() =>
    getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number),
  );
  assert.ok(red < 64 && green < 64 && blue < 64, `the ground of the dark page is rgb(${red}, ${green}, ${blue})`);
  await picture("dark");
});

test("a customer logs in on the page and places an order", async () => {
  const { page } = pages;
  const ada = await customer();
  const { sku } = await product();

  const login = await tryIt({ anchor: "tag/identity/login", method: "post", path: "/auth/login", body: ada });
  assert.equal(login.response.status(), 200);
  assert.equal(await login.request.headerValue("authorization"), null);
  await page.getByText("Signed in", { exact: true }).first().waitFor();
  await page.keyboard.press("Escape");
  await login.dialog.waitFor({ state: "hidden" });

  const lines = [{ sku, quantity: 1 }];
  const order = await tryIt({
    anchor: "tag/orders/place-order",
    method: "post",
    path: "/orders",
    body: { lines, payment_method: "pm_card_visa" },
  });
  assert.ok([200, 202].includes(order.response.status()), `placing an order answered ${order.response.status()}`);
  assert.match(await order.request.headerValue("idempotency-key"), /^[0-9a-f]{8}-[0-9a-f-]{27}$/);
  const { id } = await order.response.json();
  await order.dialog.getByText(id).first().waitFor();

  const placed = await settled(id, await tokenOf(ada));
  assert.equal(placed.status, "CONFIRMED", JSON.stringify(placed));
  assert.deepEqual(
    placed.lines.map(({ sku, quantity }) => ({ sku, quantity })),
    lines,
  );
  await picture("order");
});

test("each problem type leads to a page that explains it", async () => {
  const { page } = pages;
  await page.goto(`${api}/problems/insufficient-stock`);
  await page.getByRole("heading", { name: "There are not enough units to take away", level: 1 }).waitFor();
  await page.getByRole("heading", { name: "What to do" }).waitFor();
  await picture("problem");

  await page.getByRole("link", { name: "idempotency-key-reused" }).click();
  await page.getByRole("heading", { name: "The idempotency key was used for another request", level: 1 }).waitFor();
  await page.getByRole("link", { name: "API reference" }).first().click();
  await page.getByRole("heading", { name: "Oxcart API", level: 1 }).waitFor();
});
