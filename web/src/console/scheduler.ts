// When the console asks the API anew: the one place that decides it. Pure: it has its clock and its dice from outside.

/** What an answer was worth. */
export type Heard = "news" | "nothing-new";

/** What keeps a question from being answered. Thrown by a task. */
export interface Hindrance {
  /** The API can't be reached at all. */
  unreachable?: boolean;
  /** How long the API wants to be left alone, in milliseconds. */
  retryAfter?: number | undefined;
  /** Asking again would be answered alike. */
  final?: boolean;
}

export interface Task {
  /** Of one kind there is one request at a time, whoever asks. */
  kind: string;
  /** How long until it is asked again, in milliseconds, while there is news. */
  every(): number;
  /** Asks. Rejects with a `Hindrance`. */
  ask(signal: AbortSignal): Promise<Heard>;
}

/** What people may do with a task. */
export interface Handle {
  /** Somebody wants to know: asks at once, or as soon as the API wants to be asked. */
  hurry(): void;
  /** Never asks again, and gives up what is under way. */
  end(): void;
}

export interface Clock {
  now(): number;
  /** Calls back once; answers how to call it off. */
  after(milliseconds: number, callback: () => void): () => void;
}

/** How the whole of it is doing. */
export type Pulse = "live" | "paused" | "strained" | "offline";

interface Entry {
  task: Task;
  due: number;
  /** Until when the API wants to be left alone. */
  notBefore: number;
  quiet: number;
  failures: number;
  stopped: boolean;
  unreachable: boolean;
  asking: AbortController | undefined;
}

/** After so many answers without news, the time between two questions no longer grows. */
const QUIET_STEPS = 8;
const SLOWEST_QUIET = 3;
const FIRST_BACKOFF = 2_000;
const LONGEST_BACKOFF = 120_000;

export class Scheduler {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #changed: (pulse: Pulse) => void;
  readonly #entries = new Set<Entry>();
  readonly #busy = new Set<string>();
  readonly #pauses = new Set<string>();
  #cancel: (() => void) | undefined;
  #pulse: Pulse = "live";

  /**
   * @param random a number from 0 to 1, as `Math.random`
   * @param changed is told whenever the pulse is another one
   */
  constructor(clock: Clock, random: () => number, changed: (pulse: Pulse) => void = () => {}) {
    this.#clock = clock;
    this.#random = random;
    this.#changed = changed;
  }

  /** Asks now, and then again and again. */
  add(task: Task): Handle {
    const entry: Entry = {
      task,
      due: this.#clock.now(),
      notBefore: 0,
      quiet: 0,
      failures: 0,
      stopped: false,
      unreachable: false,
      asking: undefined,
    };
    this.#entries.add(entry);
    this.#plan();
    return {
      hurry: () => {
        entry.quiet = 0;
        entry.stopped = false;
        entry.due = Math.max(this.#clock.now(), entry.notBefore);
        this.#plan();
      },
      end: () => {
        this.#entries.delete(entry);
        entry.asking?.abort();
        this.#plan();
      },
    };
  }

  /** Asks nothing from now on, for a reason of which there may be several. */
  pause(reason: string): void {
    this.#pauses.add(reason);
    this.#plan();
  }

  /** Ends a pause. What was due meanwhile is asked at once. */
  resume(reason: string): void {
    if (!this.#pauses.delete(reason)) return;
    for (const entry of this.#entries) entry.quiet = 0;
    this.#plan();
  }

  /** There is a network again, it seems: what was out of reach is asked at once. */
  reconnect(): void {
    for (const entry of this.#entries) if (entry.unreachable) entry.due = this.#clock.now();
    this.#plan();
  }

  #plan(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#tell();
    if (this.#pauses.size > 0) return;
    const waiting = [...this.#entries].filter((entry) => !entry.stopped && !this.#busy.has(entry.task.kind));
    if (waiting.length === 0) return;
    const due = Math.min(...waiting.map((entry) => entry.due));
    this.#cancel = this.#clock.after(Math.max(0, due - this.#clock.now()), () => this.#wake());
  }

  #wake(): void {
    this.#cancel = undefined;
    const now = this.#clock.now();
    for (const entry of this.#entries) {
      if (!entry.stopped && entry.due <= now && !this.#busy.has(entry.task.kind)) void this.#ask(entry);
    }
    this.#plan();
  }

  async #ask(entry: Entry): Promise<void> {
    const { task } = entry;
    const asking = new AbortController();
    this.#busy.add(task.kind);
    entry.asking = asking;
    // Whoever is hurried while it asks is asked once more.
    const asked = (entry.due = Infinity);
    try {
      const heard = await task.ask(asking.signal);
      entry.failures = 0;
      entry.unreachable = false;
      entry.quiet = heard === "news" ? 0 : Math.min(entry.quiet + 1, QUIET_STEPS);
      const slower = 1 + ((SLOWEST_QUIET - 1) * entry.quiet) / QUIET_STEPS;
      if (entry.due === asked) entry.due = this.#in(task.every() * slower, 0.9, 1.1);
    } catch (thrown) {
      const { unreachable = false, retryAfter = 0, final = false } = thrown as Hindrance;
      entry.failures += 1;
      entry.unreachable = unreachable;
      entry.stopped = final;
      const backoff = Math.max(task.every(), FIRST_BACKOFF) * 2 ** (entry.failures - 1);
      const wait = this.#in(Math.min(backoff, LONGEST_BACKOFF), 0.6, 1);
      entry.notBefore = this.#clock.now() + retryAfter * (1 + 0.1 * this.#random());
      entry.due = Math.max(entry.due === asked ? wait : entry.due, entry.notBefore);
    } finally {
      entry.asking = undefined;
      this.#busy.delete(task.kind);
      this.#plan();
    }
  }

  /** Some time from now; not exactly, so that many consoles don't ask at once. */
  #in(milliseconds: number, least: number, most: number): number {
    return this.#clock.now() + milliseconds * (least + (most - least) * this.#random());
  }

  #tell(): void {
    const entries = [...this.#entries];
    const pulse: Pulse = entries.some(({ unreachable }) => unreachable)
      ? "offline"
      : this.#pauses.size > 0
        ? "paused"
        : entries.some(({ failures, stopped }) => failures > 0 && !stopped)
          ? "strained"
          : "live";
    if (pulse === this.#pulse) return;
    this.#pulse = pulse;
    this.#changed(pulse);
  }
}

/** The browser's clock. */
export const browserClock: Clock = {
  now: () => performance.now(),
  after(milliseconds, callback) {
    // A longer one would end at once.
    const timer = setTimeout(callback, Math.min(milliseconds, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};
