/** What one request may be. The numbers are a promise to sources: sources rely on them, so they only ever grow. */
export const BODY_BYTES_MAX = 10_000_000;
/** From its headers on. What the platform goes on with after its caller has left ends then, too. */
export const BODY_MS_MAX = 30_000;
export const EVENTS_PER_REQUEST_MAX = 10_000;
/** A line of NDJSON, in UTF-16 units. An event with everything in it takes some 3 KB. */
export const LINE_LENGTH_MAX = 16_384;
export const IDS_PER_REQUEST_MAX = 10_000;

/** How long sending to the log and the direct call to a shard may take together before the answer is 202. */
export const DIRECT_TIMEOUT_MS = 3_000;
/** Windows of one request of which answers say at once that late events wait; of more, when they are archived. */
export const LATE_WINDOWS_ANNOUNCED_MAX = 1_000;
/**
 * How long the log holds back events that are also counted directly. Longer than the direct call is waited for, so that whatever
 * a receipt says of an event was decided before the log could have counted it.
 */
export const LOG_DELAY_S = 5;
