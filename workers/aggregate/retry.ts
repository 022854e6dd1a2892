const RETRY_DELAY_FIRST_S = 2;
const RETRY_DELAY_MAX_S = 30;

/** Seconds until a message is delivered again, after its `attempts`-th (from 1) delivery failed. */
export function retryDelayS(attempts: number): number {
  return Math.min(RETRY_DELAY_MAX_S, RETRY_DELAY_FIRST_S * 2 ** Math.min(attempts - 1, 10));
}
