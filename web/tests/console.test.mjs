// Drives the page at $API_URL/console as those do who look after the shop, in Chromium, while orders are placed.
// SCREENSHOTS names a folder for pictures of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertStrict, watchedPages } from "./pages.mjs";
import { DEADLINE, admin, api, call, customer, placeOrder, product, settled, tokenOf } from "./shop.mjs";

const pages = watchedPages({ mayGiveUp: true });

/** What the console asks within IDLE may not be more: orders each 5 seconds, queues and books once a minute. */
const IDLE = 20_000;
const MOST_WHILE_IDLE = 12;

async function signIn({ email, password }) {
  const { page } = pages;
  const response = await page.goto(`${api}/console`);
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  return response;
}

/** A picture in light, and one in dark. */
async function pictures(name) {
  for (const colorScheme of ["dark", "light"]) {
    await pages.page.emulateMedia({ colorScheme });
    await pages.picture(`console-${name}-${colorScheme}`);
  }
}

const row = (id) => pages.page.locator(`[data-order="${id}"]`);
const nav = (name) => pages.page.getByRole("navigation", { name: "Views" }).getByRole("link", { name });

/** The states that the picture shows as visited, in the order of the visits. */
async function visited() {
  const states = await pages.page
    .locator("[data-visits]")
    .evaluateAll((found) => found.map(({ dataset }) => [dataset.state, dataset.visits]));
  const steps = states.flatMap(([state, visits]) => visits.split(" ").map((step) => [Number(step), state]));
  return steps.sort(([a], [b]) => a - b).map(([, state]) => state);
}

/** Of two places, whether an order went from one to the other. */
const edge = (from, to) => pages.page.locator(`[data-from="${from}"][data-to="${to}"][data-taken]`);

/** A customer's two orders: one that is sold, and one whose card is declined. */
async function twoOrders() {
  const { sku } = await product();
  const ada = await tokenOf(await customer());
  const sold = await placeOrder(ada, sku, "pm_card_visa");
  const declined = await placeOrder(ada, sku, "pm_card_chargeCustomerFail");
  return { sku, ada, sold, declined };
}

test("a customer who signs in is told that the console is not for them", async () => {
  const { page } = pages;
  await signIn(await customer());
  await page.getByRole("heading", { name: "This is not for customers" }).waitFor();
  await page.getByText("for support and administrators only").waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Oxcart Console" }).waitFor();
});

test("an administrator sees orders as they are placed, and the way that each took", async () => {
  const { page } = pages;
  assertStrict(await signIn(admin()));
  await page.getByRole("heading", { name: "Orders", level: 1 }).waitFor();
  await page.locator("[data-pulse=live]").waitFor();

  const { sku, ada, sold, declined } = await twoOrders();
  // They come by themselves.
  await row(sold).locator("[data-status=CONFIRMED]").waitFor();
  await row(declined).locator("[data-status=REJECTED]").waitFor();
  await row(declined).getByText("Payment declined").waitFor();
  assert.equal((await settled(sold, ada)).status, "CONFIRMED");
  await row(sold).getByText("€39.98").waitFor();
  await pictures("orders");

  await row(sold).getByRole("link").first().click();
  await page.getByRole("heading", { name: sold }).waitFor();
  await page.locator("[data-state=ConfirmOrder][data-visits]").waitFor();
  assert.deepEqual(await visited(), ["ReserveStock", "ChargePayment", "ConfirmOrder"]);
  assert.equal(await edge("ReserveStock", "ChargePayment").count(), 1);
  assert.equal(await edge("ChargePayment", "ConfirmOrder").count(), 1);
  assert.equal(await page.locator("[data-undoes][data-visits]").count(), 0);
  await page.locator("[data-weight=event]", { hasText: "order.confirmed" }).waitFor();
  await pictures("order-sold");

  await page.goto(`${api}/console#/orders/${declined}`);
  await page.getByRole("heading", { name: declined }).waitFor();
  await page.locator("[data-state=RejectOrder][data-visits]").waitFor();
  assert.deepEqual(await visited(), [
    "ReserveStock",
    "ChargePayment",
    "AbandonOrder",
    "RefundPayment",
    "ReleaseStock",
    "RejectOrder",
  ]);
  assert.equal(await edge("ChargePayment", "AbandonOrder").count(), 1);
  assert.equal(await page.locator("[data-undoes][data-visits]").count(), 4);
  await page.locator("[data-state=ChargePayment][data-failures]").click();
  await page.locator("[data-facts=ChargePayment] .failures", { hasText: "PaymentDeclined" }).waitFor();
  await pictures("order-declined");
  // Its product leads to the orders that have it, and an order back to that list.
  await page.getByRole("complementary", { name: "Facts" }).getByRole("link", { name: sku }).click();
  await row(sold).waitFor();
  assert.equal(await page.locator("[data-order]").count(), 2);
  await row(sold).getByRole("link").first().click();
  await page.getByRole("link", { name: "← Orders" }).click();
  await row(declined).waitFor();
  assert.equal(await page.locator("[data-order]").count(), 2);
});

test("orders are found by status, by product, by customer and by id", async () => {
  const { page } = pages;
  const { sku, ada, sold, declined } = await twoOrders();
  await Promise.all([settled(sold, ada), settled(declined, ada)]);
  await signIn(admin());
  const search = page.getByRole("combobox", { name: "Order id, customer id or sku" });
  const filters = page.getByRole("group", { name: "Filters" });

  await page.keyboard.press("/");
  await search.fill(sku);
  await page.getByRole("option", { name: "Orders with the product" }).waitFor();
  await search.press("Enter");
  await filters.getByText(sku).waitFor();
  await row(sold).waitFor();
  assert.equal(await page.locator("[data-order]").count(), 2);

  await filters.getByRole("button", { name: "Rejected" }).click();
  await row(sold).waitFor({ state: "detached" });
  await row(declined).waitFor();
  await filters.getByRole("button", { name: "Rejected" }).click();
  await filters.getByRole("button", { name: "Needs attention" }).click();
  await page.getByText("No such orders").waitFor();

  const { id } = await call("GET", "/users/me", { token: ada });
  await page.goto(`${api}/console#/orders`);
  await search.fill(id);
  await search.press("Enter");
  await row(declined).waitFor();
  assert.equal(await page.locator("[data-order]").count(), 2);

  await search.fill(sold);
  await search.press("Enter");
  await page.getByRole("heading", { name: sold }).waitFor();
});

test("an administrator adjusts stock, once, with a reason", async () => {
  const { page } = pages;
  const { sku, name } = await product();
  await signIn(admin());
  await nav("Stock").click();
  await page.getByRole("searchbox", { name: "Name or sku" }).fill(name);
  const stock = page.locator(`[data-sku="${sku}"]`);
  await stock.locator("[data-available='10']").waitFor();
  await stock.getByRole("button", { name: "Adjust" }).click();
  const dialog = page.getByRole("dialog", { name: `Adjust ${name}` });
  await dialog.getByLabel("Units to add").fill("-3");
  await dialog.getByText("10 → 7").waitFor();
  await dialog.getByLabel("Why").fill("Breakage");
  await pictures("stock");
  const [request] = await Promise.all([
    page.waitForRequest((sent) => sent.url().endsWith(`/products/${sku}/stock-adjustments`)),
    dialog.getByRole("button", { name: "Adjust" }).click(),
  ]);
  assert.match(await request.headerValue("idempotency-key"), /^[0-9a-f-]{36}$/);
  assert.deepEqual(request.postDataJSON(), { delta: -3, reason: "Breakage" });
  await stock.locator("[data-available='7']").waitFor();
  await page.getByRole("status").getByText("7 available now").waitFor();
});

test("the books agree, and the queues can be looked into", async () => {
  const { page } = pages;
  const { ada, sold } = await twoOrders();
  await settled(sold, ada);
  await signIn(admin());
  await page.locator("[data-light=good]").waitFor();
  await nav("Money").click();
  await page.locator("[data-verdict=good]").waitFor();
  assert.equal(await page.locator("[data-invariant][data-holds=true]").count(), 5);
  assert.equal(await page.locator("[data-invariant][data-holds=false]").count(), 0);
  await page.locator("[data-currency=EUR] [data-figure=kept]").waitFor();
  await pictures("money");
  await page.getByRole("button", { name: "The day before" }).click();
  await page.getByRole("button", { name: "Today" }).waitFor();

  await nav("Queues").click();
  await page.locator("[data-queue=placed-orders-dlq]").click();
  await page.getByRole("heading", { name: "placed-orders-dlq" }).waitFor();
  await page.locator("[data-message], .nothing").first().waitFor();
  await pictures("queues");
});

test("a session outlives a reload, but not in the storage of an open tab", async () => {
  const { page } = pages;
  await signIn(admin());
  await page.getByRole("heading", { name: "Orders", level: 1 }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Orders", level: 1 }).waitFor();
  assert.deepEqual(await page.evaluate(() => [sessionStorage.length, localStorage.length]), [0, 0]);
  await page.locator("summary").click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Oxcart Console" }).waitFor();
  await page.reload();
  await page.getByLabel("Password").waitFor();
});

test("a console that nobody touches asks little, and nothing while it is paused", async () => {
  const { page } = pages;
  await signIn(admin());
  await page.locator("[data-order], .nothing").first().waitFor();
  let asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const sinceNow = async (milliseconds) => {
    asked = [];
    // Nothing else can be waited for: what matters is what does not happen meanwhile.
    await page.waitForTimeout(milliseconds);
    return asked;
  };
  const idle = await sinceNow(IDLE);
  assert.ok(idle.length >= 1, "it is live");
  assert.ok(idle.length <= MOST_WHILE_IDLE, `it asked ${idle.length} times: ${idle.join(", ")}`);

  await page.locator("[data-pulse=live]").click();
  await page.locator("[data-pulse=paused]").waitFor();
  assert.deepEqual(await sinceNow(IDLE / 2), []);
  await Promise.all([
    page.waitForRequest((request) => request.url().includes("/operations/orders"), { timeout: DEADLINE }),
    page.locator("[data-pulse=paused]").click(),
  ]);
});
