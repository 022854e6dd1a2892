import { directoryCache } from "./isolate-cache.ts";
import { orUnavailable } from "./unavailable.ts";

/**
 * What the directory answers who only reads. While it hangs it is not waited for: at first for two seconds, then not at all. Throws
 * `DirectoryUnavailable`.
 */
export async function askDirectory<T>(directory: D1Database, ask: () => Promise<T>): Promise<T> {
  return await orUnavailable(directoryCache().circuit.call(ask, () => directory.prepare("SELECT 1").run()));
}
