import { signal } from "@preact/signals";
import { err, ok, type Result } from "../../../../shared/result.ts";
import { CSRF_HEADER } from "../../../access/csrf-header.ts";

/** Why there is no answer. */
export type Failure =
  | { readonly reason: "signed_out" }
  /** Neither an answer nor a refusal came: no network, or nobody there. */
  | { readonly reason: "unreachable" }
  | {
      readonly reason: "refused";
      readonly status: number;
      readonly code: string;
      readonly detail: string;
      /** What of the question is wrong, where the answer says so: `metrics.1`. */
      readonly parameter?: string | undefined;
    };

/** Of a refusal that is not the API's own, such as that of something before it. */
export const UNKNOWN_CODE = "unknown";

export type Answer<T> = Result<T, Failure>;

const ANSWER_MS_MAX = 30_000;

/** Whether the last request had an answer, and when the last one came. */
export const reachable = signal(true);
export const lastAnswerMs = signal(0);

let csrfToken = "";
export function setCsrfToken(token: string): void {
  csrfToken = token;
}

let onSignedOut = () => {};
/** Called when an answer says that there is no session any more. */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

export interface AskOptions {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly body?: unknown;
  /** True for what is not kept anywhere: not for the half second that the API believes what it knows, either. */
  readonly isPastCaches?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks the API. What it answers is taken for what its schemas say: both are built and deployed together. Rejects only with the `AbortError` of
 * the caller's own signal.
 */
export async function ask<T>(
  path: string,
  { method = "GET", body, isPastCaches = false, signal }: AskOptions = {},
): Promise<Answer<T>> {
  const timeout = AbortSignal.timeout(ANSWER_MS_MAX);
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        Accept: "application/json",
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(method === "GET" ? {} : { [CSRF_HEADER]: csrfToken }),
        ...(isPastCaches ? { "Cache-Control": "no-cache" } : {}),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    reachable.value = true;
    lastAnswerMs.value = Date.now();
    if (response.ok) return ok((response.status === 204 ? undefined : await response.json()) as T);
  } catch (error) {
    if (signal?.aborted) throw error;
    reachable.value = false;
    return err({ reason: "unreachable" });
  }
  if (response.status === 401) {
    onSignedOut();
    return err({ reason: "signed_out" });
  }
  return err(await refusalOf(response));
}

async function refusalOf(response: Response): Promise<Failure> {
  const problem = await response.json().catch(() => undefined);
  const { code = UNKNOWN_CODE, title = "", detail = "", parameter } = (problem ?? {}) as Record<string, string>;
  return {
    reason: "refused",
    status: response.status,
    code,
    detail: detail || title || `HTTP ${response.status}`,
    parameter,
  };
}
