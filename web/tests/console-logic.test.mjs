// What the console reckons without a browser: the sagas' graphs, where they are drawn, the way of a run, money, times,
// and when the API is asked.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const load = async (module) =>
  (await runnerImport(path(`../src/console/${module}`), { configFile: false, logLevel: "error" })).module;

const [{ readGraphs }, { STATE, draw, pathThrough }, { edgeKey, follow }] = await Promise.all(
  ["saga/graph.ts", "saga/drawing.ts", "saga/journey.ts"].map(load),
);
const [
  { decimal, money },
  { age, dayAfter, lasted },
  { Scheduler },
  { meanings, withFirstPage, withOlderPage },
  { isAtRest },
] = await Promise.all(["money.ts", "moments.ts", "scheduler.ts", "order-list.ts", "at-rest.ts"].map(load));

const FILES = ["order-saga", "cancel-order"];
const machines = Object.fromEntries(
  FILES.map((name) => [name, JSON.parse(readFileSync(path(`../../statemachines/${name}.asl.json`), "utf8"))]),
);
const graphs = readGraphs(machines);
const named = (graph, name) => graph.states.find((state) => state.name === name);
const undoing = (graph) =>
  graph.states
    .filter(({ undoes }) => undoes)
    .map(({ name }) => name)
    .sort();

/** All states that something in `part` of a state leads to, wherever it is written. */
function leadsTo(part) {
  if (typeof part !== "object" || part === null) return [];
  return Object.entries(part).flatMap(([key, value]) =>
    (key === "Next" || key === "Default") && typeof value === "string" ? [value] : leadsTo(value),
  );
}

for (const file of FILES) {
  const machine = machines[file];
  const graph = graphs[file];

  test(`the graph of ${file} has every state of the file, and every way between them`, () => {
    assert.deepEqual(graph.states.map(({ name }) => name).sort(), Object.keys(machine.States).sort());
    const written = Object.entries(machine.States).flatMap(([name, state]) =>
      leadsTo(state).map((next) => edgeKey(name, next)),
    );
    const drawn = graph.edges.map(({ from, to }) => edgeKey(from, to));
    assert.deepEqual(drawn.sort(), [...new Set(written)].sort());
  });

  test(`each error that ${file} catches is told on the way that it leads`, () => {
    for (const [name, state] of Object.entries(machine.States)) {
      for (const { ErrorEquals, Next } of state.Catch ?? []) {
        const edge = graph.edges.find(({ from, to }) => from === name && to === Next);
        const errors = edge.ways.flatMap((way) => (way.by === "catch" ? way.errors : []));
        for (const error of ErrorEquals) assert.ok(errors.includes(error), `${error} from ${name} to ${Next}`);
      }
    }
  });

  test(`in the drawing of ${file} no states overlap, and no way runs through a state`, () => {
    const drawing = draw(graph);
    const box = ({ x, y }) => [x - STATE.width / 2, y - STATE.height / 2, x + STATE.width / 2, y + STATE.height / 2];
    for (const state of drawing.states) {
      const [left, top, right, bottom] = box(state);
      assert.ok(left >= 0 && top >= 0 && right <= drawing.width && bottom <= drawing.height, state.name);
      for (const other of drawing.states.filter((one) => one !== state)) {
        const [l, t, r, b] = box(other);
        assert.ok(right < l || r < left || bottom < t || b < top, `${state.name} and ${other.name} overlap`);
      }
    }
    for (const { from, to, points } of drawing.edges) {
      for (let index = 1; index < points.length; index++) {
        const [[x1, y1], [x2, y2]] = [points[index - 1], points[index]];
        assert.ok(x1 === x2 || y1 === y2, `${from} to ${to} is not at right angles`);
        for (const state of drawing.states) {
          const [left, top, right, bottom] = box(state);
          const crosses =
            Math.max(x1, x2) > left && Math.min(x1, x2) < right && Math.max(y1, y2) > top && Math.min(y1, y2) < bottom;
          assert.ok(!crosses, `${from} to ${to} runs through ${state.name}`);
        }
      }
    }
  });
}

test("what undoes is known by where it is, not by its name", () => {
  const order = graphs["order-saga"];
  assert.deepEqual(undoing(order), ["AbandonOrder", "RefundPayment", "RejectOrder", "ReleaseStock"]);
  assert.equal(named(order, "ChargePayment").lane, "forward");
  assert.equal(named(order, "AwaitAction").lane, "detour");
  assert.equal(named(order, "OrderSettled").lane, "undo");
  for (const name of ["ParkOrder", "TellOperator", "OrderParked"]) assert.equal(named(order, name).lane, "trouble");
  // The same functions undo there, on the straight way.
  assert.deepEqual(undoing(graphs["cancel-order"]), ["RefundPayment", "RejectOrder", "ReleaseStock"]);
});

test("choices and defaults are ways, and what can't be drawn is refused", () => {
  const States = {
    Look: { Type: "Choice", Choices: [{ Condition: "{% true %}", Next: "Done" }], Default: "Gone" },
    Done: { Type: "Succeed" },
    Gone: { Type: "Fail" },
  };
  const { edges } = readGraphs({ one: { StartAt: "Look", States } }).one;
  assert.deepEqual(
    edges.map(({ to, ways }) => [to, ways.map(({ by }) => by)]),
    [
      ["Done", ["choice"]],
      ["Gone", ["default"]],
    ],
  );
  assert.throws(() => readGraphs({ one: { StartAt: "Look", States: { Look: { Type: "Map" } } } }), /Look is a Map/);
  assert.throws(() => readGraphs({ one: { StartAt: "Off", States: { Look: { Type: "Succeed" } } } }), /Off/);
});

test("a way at right angles gets round corners and keeps its ends", () => {
  assert.equal(
    pathThrough(
      [
        [0, 0],
        [50, 0],
        [50, 50],
      ],
      10,
    ),
    "M0 0L40 0Q50 0 50 10L50 50",
  );
});

const at = (seconds) => new Date(Date.UTC(2026, 10, 22, 10, 0, seconds)).toISOString();
const visit = (state, entered, left, ...errors) => ({
  state,
  entered: at(entered),
  left: left === null ? null : at(left),
  failures: errors.map((error) => ({ at: at(entered), error })),
});
const run = (status, ...visits) => ({
  saga: "order-saga",
  number: 0,
  name: "n",
  status,
  started: at(0),
  ended: null,
  error: null,
  visits,
});

test("the way of a declined order leads through an error to what undoes it", () => {
  const drawing = draw(graphs["order-saga"]);
  const declined = run(
    "SUCCEEDED",
    visit("ReserveStock", 0, 1, "StockContention"),
    visit("ChargePayment", 1, 2, "PaymentGatewayUnavailable", "PaymentDeclined"),
    visit("AbandonOrder", 2, 3),
    visit("RefundPayment", 3, 4),
    visit("ReleaseStock", 4, 5),
    visit("RejectOrder", 5, 6),
  );
  const { stays, taken, now, failedIn, unknown } = follow(drawing, declined);
  assert.deepEqual(
    stays.map(({ step, caught }) => [step, caught]),
    [
      [1, undefined],
      [2, "PaymentDeclined"],
      [3, undefined],
      [4, undefined],
      [5, undefined],
      [6, undefined],
    ],
  );
  assert.deepEqual(
    [...taken.keys()],
    [
      edgeKey("ReserveStock", "ChargePayment"),
      edgeKey("ChargePayment", "AbandonOrder"),
      edgeKey("AbandonOrder", "RefundPayment"),
      edgeKey("RefundPayment", "ReleaseStock"),
      edgeKey("ReleaseStock", "RejectOrder"),
    ],
  );
  assert.equal(now ?? failedIn, undefined);
  assert.deepEqual(unknown, []);
});

test("a run that goes on is somewhere, one that failed failed somewhere, and one of an older saga is followed as far as it goes", () => {
  const drawing = draw(graphs["order-saga"]);
  const waiting = run(
    "RUNNING",
    visit("ReserveStock", 0, 1),
    visit("ChargePayment", 1, 2, "PaymentActionRequired"),
    visit("RequestAction", 2, 3),
    visit("AwaitAction", 3, 4),
    visit("ChargePayment", 4, null),
  );
  const followed = follow(drawing, waiting);
  assert.equal(followed.now, "ChargePayment");
  assert.deepEqual(followed.taken.get(edgeKey("AwaitAction", "ChargePayment")), [5]);
  assert.equal(follow(drawing, run("FAILED", visit("OrderParked", 0, null))).failedIn, "OrderParked");
  assert.deepEqual(follow(drawing, run("SUCCEEDED", visit("WrapGift", 0, 1), visit("ReserveStock", 1, 2))).unknown, [
    "WrapGift",
  ]);
  assert.deepEqual(follow(drawing, undefined).stays, []);
});

test("money has as many digits as its currency", () => {
  assert.equal(decimal(1999, 2), "19.99");
  assert.equal(decimal(-5, 2), "-0.05");
  assert.equal(decimal(1800, 0), "1800");
  assert.equal(decimal(12345, 3), "12.345");
  assert.equal(money({ amount: 123456, currency: "EUR" }, "en"), "€1,234.56");
  assert.equal(money({ amount: 1800, currency: "JPY" }, "en"), "¥1,800");
  assert.equal(money({ amount: 12345, currency: "KWD" }, "en").replace(/\s/g, " "), "KWD 12.345");
  assert.equal(money({ amount: -1250, currency: "EUR" }, "en"), "-€12.50");
  // More than a fraction could hold.
  assert.equal(money({ amount: 900719925474099, currency: "EUR" }, "en"), "€9,007,199,254,740.99");
  assert.equal(money({ amount: 5, currency: "?" }, "en"), "5 ?");
});

test("times are told as people say them", () => {
  assert.deepEqual([0, 999, 1240, 41_000, 125_000, 9_412_000, 200_000_000].map(lasted), [
    "0 ms",
    "999 ms",
    "1.24 s",
    "41.0 s",
    "2 min 05 s",
    "2 h 36 min",
    "2 d 7 h",
  ]);
  assert.deepEqual([-3000, 4999, 12_000, 125_000, 9_412_000, 200_000_000].map(age), [
    "just now",
    "just now",
    "12 s ago",
    "2 min ago",
    "2 h ago",
    "2 d ago",
  ]);
  assert.equal(dayAfter("2026-02-28", 1), "2026-03-01");
  assert.equal(dayAfter("2026-01-01", -1), "2025-12-31");
});

test("an id is taken for what it looks like, and may be meant otherwise", () => {
  const order = "5b0f6c0e-9f0c-5d7e-8a53-6a2f5d1c9e44";
  const customer = "3f0c3c52-0d3c-4c53-9d2b-5d1f5f0a7c11";
  assert.deepEqual(
    meanings(` ${order.toUpperCase()} `).map(({ by }) => by),
    ["order", "customer"],
  );
  assert.deepEqual(meanings(customer), [
    { by: "customer", value: customer },
    { by: "order", value: customer },
  ]);
  assert.deepEqual(meanings("Tea-assam"), [{ by: "sku", value: "Tea-assam" }]);
  assert.deepEqual(meanings("two words"), []);
});

const found = (id, second) => ({ id, created_at: at(second), updated_at: at(second), status: "PENDING" });
const ids = ({ orders }) => orders.map(({ id }) => id).join("");
const page = (next_cursor, ...items) => ({ items, next_cursor });

test("a list whose first page is read anew keeps what was read behind it", () => {
  const first = withFirstPage(undefined, page("1", found("d", 4), found("c", 3)));
  const deep = withOlderPage(first, page("2", found("b", 2), found("a", 1)));
  assert.equal(ids(deep), "dcba");
  const grown = withFirstPage(deep, page("x", found("e", 5), found("d", 4)));
  assert.equal(ids(grown), "edcba");
  assert.equal(grown.cursor, "2");
  // What is no longer found is gone, where the page would have it.
  assert.equal(ids(withFirstPage(grown, page("x", found("e", 5), found("c", 3)))), "ecba");
  // Nothing is left out unseen between a page of new ones and the rest.
  assert.equal(ids(withFirstPage(grown, page("y", found("z", 9), found("y", 8)))), "zy");
});

test("an order is at rest when only somebody could set it in motion", () => {
  const examined = (status, more = {}) => ({
    order: { status, needs_attention: false },
    runs: [],
    payment: null,
    ...more,
  });
  assert.ok(isAtRest(examined("CONFIRMED")));
  assert.ok(!isAtRest(examined("PENDING")));
  assert.ok(!isAtRest(examined("CONFIRMED", { runs: [{ status: "RUNNING" }] })));
  assert.ok(!isAtRest(examined("CANCELLED", { payment: { status: "REFUNDING" } })));
  assert.ok(isAtRest(examined("PENDING", { order: { status: "PENDING", needs_attention: true } })));
  assert.ok(isAtRest({ order: null, runs: [], payment: null }));
});

/** A clock that goes when it is told to, and lets everything settle in between. */
function fakeClock() {
  let time = 0;
  const timers = new Set();
  const settle = async () => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  return {
    now: () => time,
    after(milliseconds, callback) {
      const timer = { at: time + milliseconds, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async pass(milliseconds) {
      const end = time + milliseconds;
      await settle();
      for (;;) {
        const [next] = [...timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at);
        if (!next) break;
        timers.delete(next);
        time = next.at;
        next.callback();
        await settle();
      }
      time = end;
      await settle();
    },
  };
}

/** A scheduler with one task, whose answers are those of `answer`, and when it asked. */
function asking(answer, { every = 5000, kind = "orders", random = () => 0.5 } = {}) {
  const clock = fakeClock();
  const pulses = [];
  const scheduler = new Scheduler(clock, random, (pulse) => pulses.push(pulse));
  const asked = [];
  const task = {
    kind,
    every: () => every,
    ask: (signal) => {
      asked.push(clock.now());
      return answer(asked.length, signal);
    },
  };
  return { clock, pulses, scheduler, asked, task, handle: scheduler.add(task) };
}

test("what is on screen is asked at once and then at its pace", async () => {
  const { clock, asked, handle } = asking(async () => "news");
  await clock.pass(16_000);
  assert.deepEqual(asked, [0, 5000, 10_000, 15_000]);
  handle.end();
  await clock.pass(60_000);
  assert.equal(asked.length, 4);
});

test("consoles don't ask in step", async () => {
  const gap = async (dice) => {
    const { clock, asked } = asking(async () => "news", { random: () => dice });
    await clock.pass(6000);
    return asked[1] - asked[0];
  };
  assert.equal(await gap(0), 4500);
  assert.equal(Math.round(await gap(1)), 5500);
});

test("after quiet it is asked less often, and at full pace again with news", async () => {
  let heard = "nothing-new";
  const { clock, asked } = asking(async () => heard);
  await clock.pass(200_000);
  const slow = asked.at(-1) - asked.at(-2);
  assert.equal(slow, 15_000);
  heard = "news";
  await clock.pass(40_000);
  assert.equal(asked.at(-1) - asked.at(-2), 5000);
});

test("nothing is asked while nobody looks, and at once when somebody does again", async () => {
  const { clock, asked, pulses, scheduler } = asking(async () => "news");
  await clock.pass(1000);
  scheduler.pause("hidden");
  scheduler.pause("wish");
  await clock.pass(600_000);
  assert.equal(asked.length, 1);
  scheduler.resume("hidden");
  await clock.pass(10_000);
  assert.equal(asked.length, 1);
  scheduler.resume("wish");
  await clock.pass(0);
  assert.equal(asked.length, 2);
  assert.deepEqual(pulses, ["paused", "live"]);
});

test("an API in trouble is asked ever less often", async () => {
  let fails = true;
  const answer = async () => {
    if (fails) throw new Error("503");
    return "news";
  };
  const { clock, asked, pulses } = asking(answer, { random: () => 1 });
  await clock.pass(36_000);
  assert.deepEqual(asked, [0, 5000, 15_000, 35_000]);
  await clock.pass(1_000_000);
  assert.ok(asked.at(-1) - asked.at(-2) <= 120_000);
  assert.deepEqual(pulses, ["strained"]);
  fails = false;
  await clock.pass(120_000);
  assert.deepEqual(pulses, ["strained", "live"]);
});

test("who is told when to come back does not come earlier, whoever is in a hurry", async () => {
  const { clock, asked, handle } = asking(async () => {
    throw Object.assign(new Error("429"), { retryAfter: 90_000 });
  });
  await clock.pass(1000);
  handle.hurry();
  await clock.pass(88_000);
  assert.equal(asked.length, 1);
  await clock.pass(15_000);
  assert.equal(asked.length, 2);
});

test("without a network it says so, and asks when somebody thinks it is back", async () => {
  let gone = true;
  const answer = async () => {
    if (gone) throw Object.assign(new Error("unreachable"), { unreachable: true });
    return "news";
  };
  const { clock, asked, pulses, scheduler } = asking(answer);
  await clock.pass(100);
  assert.deepEqual(pulses, ["offline"]);
  gone = false;
  scheduler.reconnect();
  await clock.pass(0);
  assert.equal(asked.length, 2);
  assert.deepEqual(pulses, ["offline", "live"]);
});

test("what would be answered alike is not asked again unless somebody wants it", async () => {
  const { clock, asked, handle } = asking(async () => {
    throw Object.assign(new Error("404"), { final: true });
  });
  await clock.pass(600_000);
  assert.equal(asked.length, 1);
  handle.hurry();
  await clock.pass(0);
  assert.equal(asked.length, 2);
});

test("of one kind there is one request at a time, whoever asks", async () => {
  let open = 0;
  let most = 0;
  const clockless = [];
  const answer = () => {
    most = Math.max(most, ++open);
    return new Promise((resolve) => clockless.push(() => (open--, resolve("news"))));
  };
  const { clock, asked, scheduler, task, handle } = asking(answer);
  await clock.pass(0);
  handle.hurry();
  scheduler.add(task);
  await clock.pass(60_000);
  assert.equal(asked.length, 1);
  clockless.shift()();
  await clock.pass(0);
  assert.equal(asked.length, 2);
  assert.equal(most, 1);
});

test("what is no longer on screen is given up", async () => {
  let signal;
  const { clock, handle } = asking((_count, given) => ((signal = given), new Promise(() => {})));
  await clock.pass(0);
  handle.end();
  assert.ok(signal.aborted);
});
