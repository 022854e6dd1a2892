import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { type addKey, openDirectory } from "../directory/test-directory.ts";
import { api as app } from "../openapi/held-apps.ts";

export const ORIGIN = "https://tally.example";
export const SESSION_KEY = "5e".repeat(32);

type Key = Awaited<ReturnType<typeof addKey>>;

/** The api Worker's routes over a real directory, and nothing else. */
export interface TestApi {
  readonly directory: D1Database;
  /** Sends JSON, if any, as somebody; ends once what goes on behind the answer has ended too. */
  ask(method: string, path: string, as: Key | HeadersInit, body?: unknown): Promise<Response>;
}

export async function openApi(): Promise<TestApi> {
  return apiOver(await openDirectory());
}

/** The same over a directory that is open, with other bindings. */
export function apiOver(directory: D1Database, bindings: object = {}): TestApi {
  return {
    directory,
    async ask(method, path, as, body) {
      const headers = new Headers("token" in as ? { Authorization: `Bearer ${as.token}` } : as);
      const init = body === undefined ? { method, headers } : { method, headers, body: textOf(body) };
      const context = createExecutionContext();
      const env = { DIRECTORY: directory, SESSION_KEY, ...bindings };
      const response = await app.request(new URL(path, ORIGIN).href, init, env, context);
      await waitOnExecutionContext(context);
      return response;
    },
  };
}

const textOf = (body: unknown) => (typeof body === "string" ? body : JSON.stringify(body));
