const RETRY_DELAY_FIRST_S = 2;
/**
 * The first ten tries come within four minutes, since most failures pass. With the ninety after them, up to ten minutes apart, the
 * hundred retries of `wrangler.toml` wait out an outage of some 14 hours before a message is a dead letter.
 */
const RETRY_DELAY_SOON_MAX_S = 30;
const RETRY_DELAY_MAX_S = 600;
const SOON_ATTEMPTS = 10;

/** Seconds until a message is delivered again, after its `attempts`-th (from 1) delivery failed. */
export function retryDelayS(attempts: number): number {
  const doubled = RETRY_DELAY_FIRST_S * 2 ** Math.min(attempts - 1, 10);
  if (attempts <= SOON_ATTEMPTS) return Math.min(RETRY_DELAY_SOON_MAX_S, doubled);
  return Math.min(RETRY_DELAY_MAX_S, RETRY_DELAY_SOON_MAX_S * 2 ** Math.min(attempts - SOON_ATTEMPTS, 10));
}
