// A purchase from beginning to end, against a running API, with the client only.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, test } from "node:test";
import { type Client, type Order, ProblemError, type Session, createClient, unwrap } from "../src/index.js";
import { buy } from "../examples/purchase.js";

function setting(name: string): string {
  const value = process.env[name];
  assert.ok(value, `${name} has to be set: cargo xtask up writes it to .local/stack.env`);
  return value;
}

const baseUrl = setting("API_URL");
const DEADLINE = 60_000;
const sku = `client-${randomUUID()}`;
const name = `Client's lamp ${randomUUID()}`;
const unit_price = { amount: 1999, currency: "EUR" };
const customer = { email: `${sku}@example.com`, password: "correct horse battery" };

before(async () => {
  const admin = createClient({ baseUrl });
  await admin.login({ email: setting("ADMIN_EMAIL"), password: setting("ADMIN_PASSWORD") });
  await unwrap(admin.PUT("/products/{sku}", { params: { path: { sku } }, body: { name, unit_price } }));
  const delivery = { params: { path: { sku } }, body: { delta: 10, reason: "A delivery" } };
  const stock = await unwrap(admin.POST("/products/{sku}/stock-adjustments", delivery));
  assert.equal(stock.available, 10);
  await admin.logout();

  await unwrap(createClient({ baseUrl }).POST("/users", { body: { ...customer, name: "Ada" } }));
});

async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  const end = Date.now() + DEADLINE;
  for (;;) {
    const value = await read();
    if (holds(value) || Date.now() > end) return value;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** The order once nothing more happens to it by itself. */
function settled(client: Client, id: string): Promise<Order> {
  const params = { path: { id }, header: { Prefer: "wait=20" } };
  return until(
    () => unwrap(client.GET("/orders/{id}", { params })),
    ({ status }) => status !== "PENDING" && status !== "CANCELLING",
  );
}

test("a customer buys, repeats the request, reads the payment and cancels", async () => {
  const client = createClient({ baseUrl });
  await client.login(customer);

  const query = { name_prefix: name.slice(0, 20).toLowerCase(), limit: 100 };
  const products = await until(
    () => unwrap(client.GET("/products", { params: { query } })),
    ({ items }) => items.some((product) => product.sku === sku),
  );
  assert.deepEqual(products.items.find((product) => product.sku === sku)?.unit_price, unit_price);

  const request = {
    params: { header: { "Idempotency-Key": randomUUID(), Prefer: "wait=20" } },
    body: {
      lines: [{ sku, quantity: 2 }],
      payment_method: "pm_card_visa",
      expected_total: { ...unit_price, amount: 3998 },
    },
  };
  const placed = await unwrap(client.POST("/orders", request));
  const order = await settled(client, placed.id);
  assert.equal(order.status, "CONFIRMED", JSON.stringify(order));
  assert.equal(order.total?.amount, 3998);

  const replay = await client.POST("/orders", request);
  assert.equal(replay.response.headers.get("idempotent-replay"), "true");
  assert.equal(replay.data?.id, placed.id);

  const ended = { params: { query: { status: ["CONFIRMED" as const, "REJECTED" as const] } } };
  const orders = await unwrap(client.GET("/orders", ended));
  assert.deepEqual(
    orders.items.map(({ id }) => id),
    [placed.id],
  );

  const path = { id: placed.id };
  const payment = await unwrap(client.GET("/orders/{id}/payment", { params: { path } }));
  assert.equal(payment.status, "CHARGED");
  assert.deepEqual(payment.amount, order.total);

  await unwrap(client.POST("/orders/{id}/cancel", { params: { path } }));
  assert.equal((await settled(client, placed.id)).status, "CANCELLED");
  await client.logout();
  assert.equal(client.session, undefined);
});

test("each call without a key is an order of its own", async () => {
  const [one, other] = await Promise.all([1, 2].map(() => buy(baseUrl, customer.email, customer.password, sku)));
  assert.notEqual(one?.id, other?.id);
});

test("a refused call says which problem it is", async () => {
  const client = createClient({ baseUrl });
  await client.login(customer);
  const order = { body: { lines: [], payment_method: "pm_card_visa" } };
  const refusal = await unwrap(client.POST("/orders", order)).catch((error: unknown) => error);
  assert.ok(refusal instanceof ProblemError);
  assert.equal(refusal.type, "/problems/invalid-request");
  assert.equal(refusal.status, 422);
  assert.equal(refusal.problem.errors?.[0]?.pointer, "/lines");

  const { error, response } = await client.GET("/orders/{id}", { params: { path: { id: randomUUID() } } });
  assert.equal(response.status, 404);
  assert.ok(error && "type" in error && error.type === "/problems/not-found");

  await assert.rejects(client.login({ ...customer, password: "something else" }), {
    type: "/problems/invalid-credentials",
  });
  await assert.rejects(unwrap(createClient({ baseUrl }).GET("/users/me")), { status: 401 });
});

test("calls with a token that is no longer good refresh it together, once", async () => {
  const session = await createClient({ baseUrl }).login(customer);
  const sessions: (Session | undefined)[] = [];
  const client = createClient({
    baseUrl,
    session: { ...session, access_token: `${session.access_token.slice(0, -8)}tampered` },
    onSession: (next) => sessions.push(next),
  });
  const users = await Promise.all([1, 2, 3].map(() => unwrap(client.GET("/users/me"))));
  assert.deepEqual(
    users.map(({ email }) => email),
    [customer.email, customer.email, customer.email],
  );
  assert.equal(sessions.length, 1);
  assert.notEqual(client.session?.refresh_token, session.refresh_token);

  const { refresh_token } = client.session!;
  await client.logout();
  const ended = createClient({
    baseUrl,
    session: { ...session, access_token: "no.longer.good", refresh_token },
    onSession: (next) => sessions.push(next),
  });
  await assert.rejects(unwrap(ended.GET("/users/me")), { type: "/problems/unauthenticated" });
  assert.deepEqual(sessions.slice(1), [undefined, undefined]);
});
