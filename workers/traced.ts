/**
 * Whether a request is followed through the log: decided by its id, a random UUID, and nothing else, so that ingest, the log's consumer and the shards, which see
 * the same id, all follow it or none does.
 *
 * @param share of all requests, from 0 to 1.
 */
export function isTraced(requestId: string, share: number): boolean {
  return Number.parseInt(requestId.slice(0, 8), 16) < share * 2 ** 32;
}
