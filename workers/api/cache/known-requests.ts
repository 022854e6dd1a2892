import { BoundedCache } from "../../../shared/bounded-cache.ts";
import type { ApiRoute } from "../../meter/series.ts";
import { BELIEVED_MS } from "./lifetime.ts";

const REQUESTS_MAX = 5_000;
/** A key, or a session's cookie, and an address of some ten parameters. */
const WORDS_CHARS_MAX = 1_024;

/** What a request was found to be. */
export interface KnownRequest {
  /** Of its question. */
  readonly key: string;
  /** From whose limit it takes. */
  readonly limitKey: string;
  /** What it is counted as. */
  readonly route: ApiRoute;
}

/**
 * Requests that were admitted and understood a moment ago, by their very words, the caller's credentials among them: the next one of the same words
 * looks for no route, looks up no key and parses nothing. For half a second, since `now` and `today` move; that a key is revoked may take longer
 * to be known in any case.
 */
export class KnownRequests {
  readonly #requests = new BoundedCache<string, KnownRequest>(REQUESTS_MAX);

  get(request: Request, nowMs: number): KnownRequest | undefined {
    const words = wordsOf(request);
    return words === undefined ? undefined : this.#requests.get(words, nowMs);
  }

  note(request: Request, known: KnownRequest, nowMs: number): void {
    const words = wordsOf(request);
    if (words !== undefined && words.length <= WORDS_CHARS_MAX) this.#requests.set(words, known, nowMs + BELIEVED_MS);
  }
}

/**
 * None of what has a body, which says more, nor of who shows nothing. As the caller is made out (`callerOf`), a cookie counts where there is no key;
 * which of both it was is one of the words, since what lets in as the one is nothing as the other.
 */
function wordsOf({ method, url, headers }: Request): string | undefined {
  if (method !== "GET") return undefined;
  const key = headers.get("Authorization");
  const credentials = key ?? headers.get("Cookie");
  if (credentials === null) return undefined;
  // A line break stands in no header's value: no two requests have the same words.
  return `${key === null ? "cookie" : "key"}\n${credentials}\n${headers.get("Accept") ?? ""}\n${url}`;
}
