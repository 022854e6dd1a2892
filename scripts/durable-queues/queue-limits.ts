/** What the platform takes (Cloudflare Queues, "Limits"); its KB are 1,000 bytes. */
export const MESSAGE_BYTES_MAX = 128_000;
/** Metadata of the platform's own, which counts as part of a message. */
export const MESSAGE_METADATA_BYTES = 100;
export const SEND_MESSAGES_MAX = 100;
export const SEND_BYTES_MAX = 256_000;
export const DELAY_S_MAX = 86_400;
/** Wall time of one delivery to a consumer. */
export const CONSUMER_MS_MAX = 15 * 60_000;

export interface OutgoingMessage {
  readonly body: Uint8Array;
  /** Seconds until it may be delivered. */
  readonly delayS: number;
}

/** Why the platform would refuse to take these messages in one call; `undefined` when it takes them. */
export function refusalOf(messages: readonly OutgoingMessage[]): string | undefined {
  if (messages.length === 0) return "no message";
  if (messages.length > SEND_MESSAGES_MAX) {
    return `${messages.length} messages in a call, of which ${SEND_MESSAGES_MAX} are taken`;
  }
  let bytes = 0;
  for (const { body, delayS } of messages) {
    const length = body.byteLength + MESSAGE_METADATA_BYTES;
    if (length > MESSAGE_BYTES_MAX) return `a message of ${length} bytes, of which ${MESSAGE_BYTES_MAX} are taken`;
    if (!Number.isInteger(delayS) || delayS < 0 || delayS > DELAY_S_MAX) return `a delay of ${delayS} s`;
    bytes += body.byteLength;
  }
  return bytes > SEND_BYTES_MAX ? `${bytes} bytes in a call, of which ${SEND_BYTES_MAX} are taken` : undefined;
}
