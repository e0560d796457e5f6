// What the client does when the API can't answer right now. No API is needed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ProblemError, createClient, unwrap } from "../src/index.js";

const baseUrl = "https://api.invalid";
const order = { body: { lines: [{ sku: "mug-blue", quantity: 1 }], payment_method: "pm_card_visa" } };
const unavailable = (retryAfter: string) =>
  Response.json(
    {
      type: "/problems/unavailable",
      title: "Try again in a moment",
      status: 503,
      detail: "…",
      trace_id: "0".repeat(32),
    },
    { status: 503, headers: { "content-type": "application/problem+json", "retry-after": retryAfter } },
  );
const throttled = () =>
  Response.json({ message: "Too Many Requests" }, { status: 429, headers: { "retry-after": "0" } });
const unauthenticated = () => Response.json({ message: "Unauthorized" }, { status: 401 });
const session = (access_token: string) => ({
  access_token,
  token_type: "Bearer" as const,
  expires_in: 900,
  refresh_token: `refreshes ${access_token}`,
});
const credentials = { email: "ada@example.com", password: "correct horse battery" };
const user = { body: { ...credentials, name: "Ada" } };
const placed = () => Response.json({ id: "5b0f6c0e-9f0c-5d7e-8a53-6a2f5d1c9e44" }, { status: 202 });

/** A client whose calls are answered with these, in turn, and the requests that it has sent. */
function answeredWith(...answers: (() => Response)[]) {
  const requests: Request[] = [];
  const fetch = async (request: Request) => {
    requests.push(request);
    const answer = answers[requests.length - 1];
    assert.ok(answer, "one request too many");
    return answer();
  };
  return { client: createClient({ baseUrl, fetch }), requests };
}

test("a call that was answered 503 is repeated with the same key and the same body", async () => {
  const { client, requests } = answeredWith(
    () => unavailable("0"),
    () => unavailable("0"),
    placed,
  );
  await unwrap(client.POST("/orders", order));
  assert.equal(requests.length, 3);
  const [key, ...others] = requests.map(({ headers }) => headers.get("idempotency-key"));
  assert.ok(key);
  assert.deepEqual(others, [key, key]);
  assert.deepEqual(await requests[2]?.json(), order.body);
});

test("a call that was answered 503 is repeated only if that does no harm", async () => {
  const read = answeredWith(
    () => unavailable("0"),
    () => Response.json({ items: [], next_cursor: null }),
  );
  await unwrap(read.client.GET("/products"));
  assert.equal(read.requests.length, 2);

  const { client, requests } = answeredWith(...Array.from({ length: 4 }, () => () => unavailable("0")));
  await assert.rejects(unwrap(client.POST("/users", user)), { type: "/problems/unavailable" });
  await assert.rejects(client.login(credentials), { type: "/problems/unavailable" });
  await assert.rejects(unwrap(client.POST("/auth/refresh", { body: { refresh_token: "…" } })), { status: 503 });
  const passwords = { current_password: credentials.password, new_password: "correct horse battery staple" };
  await assert.rejects(unwrap(client.POST("/users/me/password", { body: passwords })), { status: 503 });
  assert.equal(requests.length, 4);
});

test("a call that was turned away is repeated, whatever it does", async () => {
  const { client, requests } = answeredWith(throttled, throttled, () => Response.json({ id: "1" }, { status: 201 }));
  await unwrap(client.POST("/users", user));
  assert.equal(requests.length, 3);
  assert.deepEqual(await requests[2]?.json(), user.body);
});

test("repetitions end, and so do waits that are too long", async () => {
  const always = answeredWith(...Array.from({ length: 4 }, () => () => unavailable("0")));
  const refusal = await unwrap(always.client.GET("/products")).catch((error: unknown) => error);
  assert.ok(refusal instanceof ProblemError);
  assert.equal(refusal.type, "/problems/unavailable");
  assert.equal(always.requests.length, 4);

  const later = answeredWith(() => unavailable("60"));
  await assert.rejects(unwrap(later.client.GET("/products")), { type: "/problems/unavailable", retryAfter: 60 });
});

test("a call that got no answer is repeated only if that does no harm", async () => {
  const lost = () => {
    throw new TypeError("fetch failed");
  };
  const keyed = answeredWith(lost, placed);
  await unwrap(keyed.client.POST("/orders", order));
  assert.equal(keyed.requests.length, 2);

  await assert.rejects(unwrap(answeredWith(lost).client.POST("/users", user)), TypeError);
});

test("a token that has expired is refreshed, and the call repeated with the new one", async () => {
  const { client, requests } = answeredWith(
    () => Response.json(session("first")),
    unauthenticated,
    () => Response.json(session("second")),
    placed,
  );
  await client.login(credentials);
  await unwrap(client.POST("/orders", order));
  assert.deepEqual(
    requests.map(({ url, headers }) => [new URL(url).pathname, headers.get("authorization")]),
    [
      ["/auth/login", null],
      ["/orders", "Bearer first"],
      ["/auth/refresh", null],
      ["/orders", "Bearer second"],
    ],
  );
  assert.equal(requests[1]?.headers.get("idempotency-key"), requests[3]?.headers.get("idempotency-key"));
});

test("a 401 of a call that is about sessions leaves the session alone", async () => {
  for (const path of ["", "/shop", "/shop/"]) {
    const requests: Request[] = [];
    const fetch = async (request: Request) => {
      requests.push(request);
      return unauthenticated();
    };
    const signedIn = createClient({ baseUrl: `${baseUrl}${path}`, session: session("first"), fetch });
    const { response } = await signedIn.POST("/auth/login", { body: credentials });
    assert.equal(response.status, 401);
    await assert.rejects(unwrap(signedIn.POST("/auth/refresh", { body: { refresh_token: "…" } })), { status: 401 });
    await assert.rejects(signedIn.login(credentials), { status: 401 });
    assert.deepEqual(
      requests.map(({ headers }) => headers.get("authorization")),
      [null, null, null],
    );
    assert.deepEqual(signedIn.session, session("first"));
  }
});

test("what the gateway answers by itself is a problem too", async () => {
  const { client } = answeredWith(unauthenticated);
  await assert.rejects(unwrap(client.GET("/users/me")), { type: "about:blank", status: 401, message: /Unauthorized/ });
});

test("whoever gives up while waiting waits no longer", async () => {
  const { client } = answeredWith(() => unavailable("5"));
  const giveUp = new AbortController();
  const call = client.GET("/products", { signal: giveUp.signal });
  setTimeout(() => giveUp.abort(), 20);
  await assert.rejects(call, { name: "AbortError" });
});

// Never called: the compiler checks it.
export function whatTheTypesRefuse() {
  const { client } = answeredWith();
  // @ts-expect-error there is no such path
  void client.GET("/order");
  // @ts-expect-error a line has a quantity
  void client.POST("/orders", { body: { lines: [{ sku: "mug-blue" }], payment_method: "pm_card_visa" } });
  // @ts-expect-error an order has no such status
  void unwrap(client.GET("/orders/{id}", { params: { path: { id: "1" } } })).then(({ status }) => status === "PAID");
}
