import type { components } from "./schema.js";

/** The types of problems that the API knows. More may be added. */
export type ProblemType = components["schemas"]["ProblemType"];

/**
 * Why a call was refused (RFC 9457). `type` says which problem it is, and leads to a page about it. It is `about:blank`
 * for what doesn't come from the API itself, such as a gateway's answer: then only the status is known, and no trace.
 */
export type Problem =
  | components["schemas"]["Problem"]
  | { type: "about:blank"; title: string; status: number; detail: string; trace_id?: never; errors?: never };

/** Thrown for a call that was refused. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly problem: Problem;

  /**
   * @param body what was answered, decoded
   * @param response what it was answered with
   */
  constructor(
    body: unknown,
    readonly response: Response,
  ) {
    const problem = problemOf(body, response);
    super(`${problem.title}: ${problem.detail} (${problem.status} ${problem.type})`);
    this.problem = problem;
  }

  /** Which problem it is. */
  get type(): Problem["type"] {
    return this.problem.type;
  }

  /** The HTTP status. */
  get status(): number {
    return this.problem.status;
  }

  /** Seconds to wait before trying again, if the answer says so. */
  get retryAfter(): number | undefined {
    const seconds = Number(this.response.headers.get("retry-after") ?? NaN);
    return Number.isFinite(seconds) ? seconds : undefined;
  }
}

/**
 * What a call was answered with.
 *
 * @example `const order = await unwrap(client.GET("/orders/{id}", { params: { path: { id } } }));`
 * @throws ProblemError if the call was refused
 */
export async function unwrap<Result extends { data?: unknown; error?: unknown; response: Response }>(
  call: Promise<Result>,
): Promise<Data<Result>> {
  const { data, error, response } = await call;
  if (!response.ok) throw new ProblemError(error, response);
  return data as Data<Result>;
}

type Data<Result> = Result extends { data: infer Answer; error?: never } ? Answer : never;

function problemOf(body: unknown, response: Response): Problem {
  if (response.headers.get("content-type")?.startsWith("application/problem+json")) {
    return body as components["schemas"]["Problem"];
  }
  const said = typeof body === "object" && body !== null && "message" in body ? String(body.message) : undefined;
  const { status, statusText } = response;
  return { type: "about:blank", title: `Status ${status}`, status, detail: said ?? statusText };
}
