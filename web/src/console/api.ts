// Calls the API, and knows who is signed in. Tokens are in this page's memory; only while the page is being loaded anew
// they lie in the tab's session storage, so that a second tab can't come by the same refresh token.
import { shallowRef } from "vue";
import type { User } from "./contract.ts";
import type { Hindrance } from "./scheduler.ts";

interface Tokens {
  access: string;
  refresh: string;
  /** When the access token ends, in milliseconds since 1970. */
  until: number;
}

/** The API says no. */
export class Refusal extends Error implements Hindrance {
  readonly status: number;
  /** The name of the type of problem. */
  readonly problem: string;
  readonly retryAfter: number | undefined;
  readonly final: boolean;
  constructor(status: number, problem: string, says: string, retryAfter: number | undefined) {
    super(says);
    this.status = status;
    this.problem = problem;
    this.retryAfter = retryAfter;
    this.final = [400, 403, 404, 405, 422].includes(status);
  }
}
/** Nobody answers. */
export class Unreachable extends Error implements Hindrance {
  readonly unreachable = true;
  constructor() {
    super("The API can't be reached.");
  }
}
/** The session has ended. */
export class SignedOut extends Error implements Hindrance {
  readonly final = true;
  constructor() {
    super("The session has ended.");
  }
}

export type Answer<T> = { fresh: true; value: T; tag: string | undefined } | { fresh: false };

const SHELF = "oxcart-console";
/** So long before its end, an access token is replaced. */
const EARLY = 30_000;

export class Api {
  /** Who is signed in: nobody (`null`), or not known yet (`undefined`). */
  readonly user = shallowRef<User | null>();
  /** Why nobody is any more, if it wasn't their wish. */
  readonly ended = shallowRef(false);
  readonly #base: URL;
  #tokens: Tokens | undefined;
  #refreshing: Promise<boolean> | undefined;

  constructor(base: URL) {
    this.#base = base;
  }

  /** Goes on with the session that the page had before it was loaded anew. */
  async restore(): Promise<void> {
    const take = () => {
      const kept = sessionStorage.getItem(SHELF);
      sessionStorage.removeItem(SHELF);
      if (kept !== null) this.#tokens = JSON.parse(kept) as Tokens;
    };
    take();
    addEventListener("pagehide", () => {
      if (this.#tokens) sessionStorage.setItem(SHELF, JSON.stringify(this.#tokens));
    });
    addEventListener("pageshow", (event) => event.persisted && take());
    try {
      this.user.value = this.#tokens ? await this.#me() : null;
    } catch {
      this.user.value = null;
    }
  }

  /** Signs in, and answers who that is. */
  async signIn(email: string, password: string): Promise<void> {
    this.#keep(await this.#post("auth/login", { email, password }));
    this.ended.value = false;
    this.user.value = await this.#me();
  }

  async signOut(): Promise<void> {
    const tokens = this.#tokens;
    this.#tokens = undefined;
    this.user.value = null;
    // Whether it is heard or not: this page knows the tokens no more.
    if (tokens) await this.#fetch("auth/logout", json("POST", { refresh_token: tokens.refresh })).catch(() => {});
  }

  /** Reads, unless what there is has still the same `tag`. */
  async read<T>(path: string, options: { tag?: string | undefined; signal?: AbortSignal; anew?: boolean } = {}) {
    const headers = new Headers();
    if (options.tag !== undefined) headers.set("if-none-match", options.tag);
    if (options.anew) headers.set("cache-control", "no-cache");
    const response = await this.#authorized(path, { headers, ...(options.signal && { signal: options.signal }) });
    if (response.status === 304) return { fresh: false } as Answer<T>;
    const value = (await response.json()) as T;
    return { fresh: true, value, tag: response.headers.get("etag") ?? undefined } as Answer<T>;
  }

  /** Has something done. */
  async send<T>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<T> {
    const response = await this.#authorized(path, json("POST", body, headers));
    return (await response.json()) as T;
  }

  async #me(): Promise<User> {
    return (await (await this.#authorized("users/me", {})).json()) as User;
  }

  async #authorized(path: string, init: RequestInit): Promise<Response> {
    if (!this.#tokens) throw new SignedOut();
    if (this.#tokens.until - EARLY < Date.now()) await this.#refresh();
    const used = this.#tokens.access;
    const call = () => {
      const headers = new Headers(init.headers);
      headers.set("authorization", `Bearer ${this.#tokens?.access}`);
      return this.#fetch(path, { ...init, headers });
    };
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Refusal && error.status === 401)) throw error;
      // Another call may have refreshed meanwhile.
      if (this.#tokens?.access === used) await this.#refresh();
      return await call();
    }
  }

  /** One at a time: a refresh token that is used twice ends its session. */
  async #refresh(): Promise<void> {
    this.#refreshing ??= this.#renew().finally(() => (this.#refreshing = undefined));
    if (!(await this.#refreshing)) throw new SignedOut();
  }

  async #renew(): Promise<boolean> {
    const tokens = this.#tokens;
    if (!tokens) return false;
    try {
      this.#keep(await this.#post("auth/refresh", { refresh_token: tokens.refresh }));
      return true;
    } catch (error) {
      if (!(error instanceof Refusal && error.status === 401)) throw error;
      this.#tokens = undefined;
      this.user.value = null;
      this.ended.value = true;
      return false;
    }
  }

  async #post(path: string, body: unknown): Promise<unknown> {
    return (await this.#fetch(path, json("POST", body))).json();
  }

  #keep(answer: unknown): void {
    const session = answer as { access_token: string; refresh_token: string; expires_in: number };
    this.#tokens = {
      access: session.access_token,
      refresh: session.refresh_token,
      until: Date.now() + session.expires_in * 1000,
    };
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    // What is kept is kept by this page, which sends the tags itself.
    const options: RequestInit = { ...init, cache: "no-store", credentials: "omit" };
    let response;
    try {
      response = await fetch(new URL(path, this.#base), options);
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw new Unreachable();
    }
    if (response.ok || response.status === 304) return response;
    throw await refusal(response);
  }
}

function json(method: string, body: unknown, headers: Record<string, string> = {}): RequestInit {
  if (body === undefined) return { method, headers };
  return { method, headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(body) };
}

async function refusal(response: Response): Promise<Refusal> {
  const seconds = Number(response.headers.get("retry-after") ?? NaN);
  const answer: unknown = await response.json().catch(() => ({}));
  const {
    type = "",
    title,
    detail,
    errors = [],
  } = answer as {
    type?: string;
    title?: string;
    detail?: string;
    errors?: { pointer: string; detail: string }[];
  };
  const says = detail ?? title ?? `The API answered ${response.status}.`;
  const fields = errors.map(({ pointer, detail }) => `${pointer.slice(1)}: ${detail}`);
  return new Refusal(
    response.status,
    type.replace(/^.*\//, ""),
    [says, ...fields].join(" "),
    Number.isFinite(seconds) ? seconds * 1000 : undefined,
  );
}
