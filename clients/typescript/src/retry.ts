export interface RetryOptions {
  /** How often a call is repeated at most. 3 unless given. */
  retries?: number;
  /** The longest wait before a repetition, in seconds: a longer one is the caller's to decide on. 5 unless given. */
  longestWait?: number;
}

type Send = (request: Request) => Promise<Response>;

/**
 * Sends as `send` does, and again what was turned away (429), and what may have been done or not (503, or no answer
 * at all) if doing it twice does it once.
 */
export function patiently(send: Send, { retries = 3, longestWait = 5 }: RetryOptions): Send {
  return async (request) => {
    for (let attempt = 0; attempt < retries; attempt++) {
      let seconds: number | undefined;
      try {
        const response = await send(request.clone());
        seconds = secondsToWait(request, response, attempt);
        if (seconds === undefined || seconds > longestWait) return response;
        await response.body?.cancel();
      } catch (error) {
        if (request.signal.aborted || !repeatable(request)) throw error;
        seconds = Math.min(backoff(attempt), longestWait);
      }
      await wait(seconds, request.signal);
    }
    return send(request);
  };
}

/** Whether doing it twice does it once. */
function repeatable(request: Request): boolean {
  return ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"].includes(request.method) || request.headers.has("idempotency-key");
}

/** How long to wait before a repetition; none where the answer stands. */
function secondsToWait(request: Request, response: Response, attempt: number): number | undefined {
  if (response.status !== 429 && !(response.status === 503 && repeatable(request))) return undefined;
  const asked = Number(response.headers.get("retry-after") ?? NaN);
  return Number.isFinite(asked) ? asked : backoff(attempt);
}

/** About one, two, four seconds; not for all callers the same. */
function backoff(attempt: number): number {
  return 2 ** attempt * (0.5 + Math.random() / 2);
}

function wait(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, seconds * 1000);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
  });
}
