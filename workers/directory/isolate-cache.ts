import { BoundedCache } from "../../shared/bounded-cache.ts";
import type { Topology } from "../../shared/topology.ts";
import { CircuitBreaker } from "../circuit-breaker.ts";
import type { Admission } from "./authenticate.ts";

const KEYS_CACHED_MAX = 10_000;

/** What an isolate remembers of the directory. All of it expires; none of it outlives the isolate. */
export class DirectoryCache {
  topology: { readonly topology: Topology; readonly readMs: number } | undefined;
  /** With when it was looked up. */
  readonly known = new BoundedCache<string, { readonly admission: Admission; readonly readMs: number }>(
    KEYS_CACHED_MAX,
  );
  /** Apart from the known ones, which somebody who guesses could push out otherwise. */
  readonly unknown = new BoundedCache<string, true>(KEYS_CACHED_MAX);
  /** Keys of which it was noted a little while ago that they are used. */
  readonly noted = new BoundedCache<string, true>(KEYS_CACHED_MAX);
  readonly circuit = new CircuitBreaker("the directory");
}

const cache = new DirectoryCache();

/** This isolate's: one, since a module is loaded once in each. The simulator, whose isolates share a process, has one for each of them. */
export function directoryCache(): DirectoryCache {
  return cache;
}
