// The shop that the pages are about, as a client of its API sees it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

export const DEADLINE = 30_000;
export const api = setting("API_URL");

function setting(name) {
  assert.ok(process.env[name], `${name} has to be set: cargo xtask up writes it to .local/stack.env`);
  return process.env[name];
}

export async function call(method, path, { body, token, headers } = {}) {
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

export async function tokenOf({ email, password }) {
  return (await call("POST", "/auth/login", { body: { email, password } })).access_token;
}

export function admin() {
  return { email: setting("ADMIN_EMAIL"), password: setting("ADMIN_PASSWORD") };
}

/** A customer of the test's own. */
export async function customer() {
  const user = { email: `pages-${randomUUID()}@example.com`, password: "correct horse battery" };
  await call("POST", "/users", { body: { ...user, name: "Ada" } });
  return user;
}

/** A product of the test's own, of which there are ten. */
export async function product() {
  const token = await tokenOf(admin());
  const sku = `pages-${randomUUID()}`;
  const name = `Reader's lamp ${sku}`;
  await call("PUT", `/products/${sku}`, { body: { name, unit_price: { amount: 1999, currency: "EUR" } }, token });
  const delivery = { body: { delta: 10, reason: "A delivery" }, token, headers: { "idempotency-key": randomUUID() } };
  await call("POST", `/products/${sku}/stock-adjustments`, delivery);
  return { sku, name };
}

export async function placeOrder(token, sku, payment_method) {
  const body = { lines: [{ sku, quantity: 2 }], payment_method };
  return (await call("POST", "/orders", { body, token, headers: { "idempotency-key": randomUUID() } })).id;
}

/** The order as it is when its saga has ended it. */
export async function settled(id, token) {
  const end = Date.now() + DEADLINE;
  for (;;) {
    const order = await call("GET", `/orders/${id}`, { token });
    if (order.status !== "PENDING" || Date.now() > end) return order;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
