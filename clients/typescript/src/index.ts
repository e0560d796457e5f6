/**
 * Client of the Oxcart API: `openapi-fetch` with the types of the API's OpenAPI document, and with what each caller
 * would have to write otherwise: sessions, idempotency keys, and patience.
 *
 * @packageDocumentation
 */
import createFetchClient, { type Client as FetchClient } from "openapi-fetch";
import { ProblemError } from "./problem.js";
import { type RetryOptions, patiently } from "./retry.js";
import type { components, paths } from "./schema.js";

export { type Problem, ProblemError, type ProblemType, unwrap } from "./problem.js";
export type { components, operations, paths } from "./schema.js";

type Schemas = components["schemas"];
export type Order = Schemas["Order"];
export type Payment = Schemas["Payment"];
export type Product = Schemas["Product"];
export type Session = Schemas["Session"];
export type User = Schemas["User"];

export interface ClientOptions extends RetryOptions {
  /** Address of the API: the stack's output `ApiUrl`. */
  baseUrl: string;
  /** Tokens of an earlier session to go on with. */
  session?: Session;
  /** Told of each new pair of tokens, which replaces the one before, and of the end of the session. */
  onSession?: (session: Session | undefined) => void;
  /** Sends a request, in the place of the global `fetch`. */
  fetch?: (request: Request) => Promise<Response>;
}

/** The operations of the API, by method and path as the document has them, and the session that they are called in. */
export interface Client extends FetchClient<CallablePaths> {
  /** The tokens in use, if somebody is signed in. */
  readonly session: Session | undefined;
  /**
   * Signs in. From here on calls are made as this user, and the tokens are refreshed as needed.
   *
   * @throws ProblemError `/problems/invalid-credentials`, or `/problems/too-many-attempts` with `retryAfter`
   */
  login(credentials: Schemas["Login"]): Promise<Session>;
  /** Ends the session here and at the API. */
  logout(): Promise<void>;
}

/**
 * Makes a client.
 *
 * - A token that has expired is refreshed and the call repeated, once. Of all calls that need it at a time, one
 *   refreshes: a refresh token is good once, and using it again would end the session.
 * - `Idempotency-Key` needs giving only by who wants to repeat a call later; otherwise each call gets one of its own.
 * - What was answered 429 is repeated: nothing was done. What was answered 503, or not at all, may have been done: it
 *   is repeated if doing it twice does it once, by its method or by its key. The wait is what `Retry-After` says, or
 *   about one, two, four seconds.
 * - Calls of `/auth/…` are sent without the session: a 401 of theirs says nothing about its token.
 * - Refusals are in `error`, as `openapi-fetch` has it; {@link unwrap} throws them.
 */
export function createClient(options: ClientOptions): Client {
  const { baseUrl, onSession, fetch = globalThis.fetch, ...retry } = options;
  const send = patiently((request) => fetch(request), retry);
  let { session } = options;
  let refreshing: Promise<void> | undefined;

  function keep(next: Session | undefined): void {
    session = next;
    onSession?.(next);
  }

  async function refresh(spent: Session): Promise<void> {
    const { data, response } = await anonymous.POST("/auth/refresh", { body: { refresh_token: spent.refresh_token } });
    // Meanwhile somebody may have logged out, or in as somebody else.
    if (session !== spent) return;
    if (data) keep(data);
    else if (response.status === 401) keep(undefined);
  }

  async function sendInSession(request: Request): Promise<Response> {
    const used = session;
    if (!used || request.headers.has("authorization") || isAboutSessions(request)) return send(request);

    const response = await send(authorized(request, used));
    if (response.status !== 401) return response;
    if (session === used) await (refreshing ??= refresh(used).finally(() => (refreshing = undefined)));
    if (!session || session === used) return response;
    await response.body?.cancel();
    return send(authorized(request, session));
  }

  const fetchOptions = { baseUrl, querySerializer: { array: { style: "form", explode: false } } } as const;
  const anonymous = createFetchClient<CallablePaths>({ ...fetchOptions, fetch: send });
  const api = createFetchClient<CallablePaths>({ ...fetchOptions, fetch: sendInSession });
  api.use({
    onRequest({ request, schemaPath }) {
      if (request.method === "POST" && schemaPath in keyedPaths && !request.headers.has("idempotency-key")) {
        request.headers.set("idempotency-key", crypto.randomUUID());
      }
    },
  });

  return {
    ...api,
    get session() {
      return session;
    },
    async login(credentials) {
      const { data, error, response } = await anonymous.POST("/auth/login", { body: credentials });
      if (!data) throw new ProblemError(error, response);
      keep(data);
      return data;
    },
    async logout() {
      const ended = session;
      if (!ended) return;
      keep(undefined);
      const { error, response } = await anonymous.POST("/auth/logout", {
        body: { refresh_token: ended.refresh_token },
      });
      if (!response.ok) throw new ProblemError(error, response);
    },
  };
}

function authorized(request: Request, { access_token }: Session): Request {
  const copy = request.clone();
  copy.headers.set("authorization", `Bearer ${access_token}`);
  return copy;
}

/** Whether a request signs in or out, or refreshes: it isn't made in a session. */
function isAboutSessions({ url }: Request): boolean {
  const { pathname } = new URL(url);
  return Object.keys(sessionPaths).some((path) => pathname.endsWith(path));
}

/** The paths that take credentials or a refresh token. The compiler says when the document has others. */
const sessionPaths: Record<Extract<keyof paths, `/auth/${string}`>, true> = {
  "/auth/login": true,
  "/auth/logout": true,
  "/auth/refresh": true,
};

interface Keyed {
  parameters: { header: { "Idempotency-Key": string } };
}

/** The paths whose POST takes an `Idempotency-Key`. The compiler says when the document has others. */
const keyedPaths: Record<{ [P in keyof paths]: paths[P] extends { post: Keyed } ? P : never }[keyof paths], true> = {
  "/orders": true,
  "/orders/{id}/refunds": true,
  "/products/{sku}/stock-adjustments": true,
};

/** The document's paths, where the key needn't be given. */
type CallablePaths = { [P in keyof paths]: { [M in keyof paths[P]]: KeyOptional<paths[P][M]> } };
type KeyOptional<Operation> = Operation extends Keyed
  ? Omit<Operation, "parameters"> & {
      parameters: Omit<Operation["parameters"], "header"> & {
        header?: Omit<Operation["parameters"]["header"], "Idempotency-Key"> & { "Idempotency-Key"?: string };
      };
    }
  : Operation;
