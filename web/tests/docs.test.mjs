// Drives the page at $API_URL/docs as a reader does, in Chromium: log in and place an order with its "Test Request",
// and read about a problem. SCREENSHOTS names a folder for pictures of it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { launch } from "./chromium.mjs";

function setting(name) {
  assert.ok(process.env[name], `${name} has to be set: cargo xtask up writes it to .local/stack.env`);
  return process.env[name];
}

const api = setting("API_URL");
const screenshots = process.env.SCREENSHOTS;
if (screenshots) mkdirSync(screenshots, { recursive: true });
const DEADLINE = 30_000;

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

let page;
/** What a page that works never does. */
let faults;

async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  page = await context.newPage();
  page.setDefaultTimeout(DEADLINE);
  await page.addInitScript(() => {
    // The console says it too, but not always in time.
    addEventListener("securitypolicyviolation", (event) => {
      console.error(
        `refused by the Content-Security-Policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`,
      );
    });
  });
  page.on("console", (message) => message.type() === "error" && faults.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(`page: ${error.stack}`));
  page.on("requestfailed", (request) => faults.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
  page.on("response", (response) => response.status() >= 400 && faults.push(`${response.status()}: ${response.url()}`));
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol !== "data:" && protocol !== "blob:" && origin !== new URL(api).origin)
      faults.push(`another host: ${request.url()}`);
  });
}

beforeEach(async () => {
  faults = [];
  await open();
});
afterEach(async () => {
  await page.context().close();
  assert.deepEqual(faults, []);
});

async function picture(name) {
  if (screenshots) await page.screenshot({ path: join(screenshots, `${name}.png`), animations: "disabled" });
}

async function call(method, path, { body, token, headers } = {}) {
  const response = await fetch(`${api}${path}`, {
    method,
    headers: {
      ...headers,
      ...(body && { "content-type": "application/json" }),
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: body && JSON.stringify(body),
  });
  assert.ok(response.ok, `${method} ${path} answered ${response.status}: ${await response.clone().text()}`);
  return response.json();
}

/** A product of the test's own, in stock. */
async function product() {
  const admin = { email: setting("ADMIN_EMAIL"), password: setting("ADMIN_PASSWORD") };
  const { access_token: token } = await call("POST", "/auth/login", { body: admin });
  const sku = `docs-${randomUUID()}`;
  const lamp = { name: `Reader's lamp ${sku}`, unit_price: { amount: 1999, currency: "EUR" } };
  await call("PUT", `/products/${sku}`, { body: lamp, token });
  const delivery = { body: { delta: 10, reason: "A delivery" }, token, headers: { "idempotency-key": randomUUID() } };
  await call("POST", `/products/${sku}/stock-adjustments`, delivery);
  return sku;
}

/** Opens "Test Request" of an operation, writes its body, sends it, and hands back request and answer. */
async function tryIt({ anchor, method, path, body }) {
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
  const response = await page.goto(`${api}/docs`);
  const policy = response.headers()["content-security-policy"];
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe/);

  await page.getByRole("heading", { name: "Oxcart API", level: 1 }).waitFor();
  await page.getByRole("link", { name: "Place an order" }).first().waitFor();
  await page.getByText("Not signed in").first().waitFor();
  assert.equal(await page.title(), "Oxcart API");
  await picture("light");
  const licences = await page.getByRole("link", { name: "Licences" }).getAttribute("href");
  const text = await (await fetch(new URL(licences, `${api}/docs`))).text();
  assert.match(text, /^@scalar\/api-reference$/m);
  await page.context().close();

  await open({ colorScheme: "dark" });
  await page.goto(`${api}/docs#tag/orders/place-order`);
  await page.getByRole("button", { name: "Test Request (post /orders)" }).waitFor();
  const [red, green, blue] = await page.evaluate(() =>
    getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number),
  );
  assert.ok(red < 64 && green < 64 && blue < 64, `the ground of the dark page is rgb(${red}, ${green}, ${blue})`);
  await picture("dark");
});

test("a customer logs in on the page and places an order", async () => {
  const customer = { email: `docs-${randomUUID()}@example.com`, password: "correct horse battery" };
  await call("POST", "/users", { body: { ...customer, name: "Ada" } });
  const sku = await product();

  const login = await tryIt({ anchor: "tag/identity/login", method: "post", path: "/auth/login", body: customer });
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

  const { access_token: token } = await call("POST", "/auth/login", { body: customer });
  const placed = await settled(id, token);
  assert.equal(placed.status, "CONFIRMED", JSON.stringify(placed));
  assert.deepEqual(
    placed.lines.map(({ sku, quantity }) => ({ sku, quantity })),
    lines,
  );
  await picture("order");
});

async function settled(id, token) {
  const end = Date.now() + DEADLINE;
  for (;;) {
    const order = await call("GET", `/orders/${id}`, { token });
    if (order.status !== "PENDING" || Date.now() > end) return order;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

test("each problem type leads to a page that explains it", async () => {
  await page.goto(`${api}/problems/insufficient-stock`);
  await page.getByRole("heading", { name: "There are not enough units to take away", level: 1 }).waitFor();
  await page.getByRole("heading", { name: "What to do" }).waitFor();
  await picture("problem");

  await page.getByRole("link", { name: "idempotency-key-reused" }).click();
  await page.getByRole("heading", { name: "The idempotency key was used for another request", level: 1 }).waitFor();
  await page.getByRole("link", { name: "API reference" }).first().click();
  await page.getByRole("heading", { name: "Oxcart API", level: 1 }).waitFor();
});
