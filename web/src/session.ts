import { reactive } from "vue";

/** Who is signed in on this page. In memory only: it ends with the page. */
export const session = reactive<{ until: Date | undefined }>({ until: undefined });

/** What an answer means for the session of this page: a new access token, an empty one at its end, or none at all. */
export async function tokenOf(request: Request, response: Response): Promise<string | undefined> {
  if (request.method !== "POST") return undefined;
  const path = new URL(request.url).pathname;
  if (path.endsWith("/auth/logout") && response.ok) {
    session.until = undefined;
    return "";
  }
  if (!/\/auth\/(login|refresh)$/.test(path) || !response.ok) return undefined;
  const answer: unknown = await response.clone().json();
  if (typeof answer !== "object" || answer === null || !("access_token" in answer)) return undefined;
  const { access_token, expires_in } = answer as { access_token: string; expires_in: number };
  session.until = new Date(Date.now() + expires_in * 1000);
  return access_token;
}
