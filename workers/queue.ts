/** Limits of one `sendBatch` call (Cloudflare Queues, "Limits"); the bytes with room for the platform's own. */
export const SEND_BATCH_MESSAGES_MAX = 100;
export const SEND_BATCH_BYTES_MAX = 250_000;

/** Puts all bodies on a queue, in as few calls as the limits allow; resolves once the queue has every one of them. */
export async function sendAll(
  queue: Queue,
  bodies: readonly Uint8Array<ArrayBuffer>[],
  options?: { readonly delaySeconds: number },
): Promise<void> {
  for (const batch of groups(bodies)) {
    await queue.sendBatch(
      batch.map((body) => ({ body, contentType: "bytes" as const })),
      options,
    );
  }
}

function groups(bodies: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer>[][] {
  const all: Uint8Array<ArrayBuffer>[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const body of bodies) {
    if (bytes + body.byteLength > SEND_BATCH_BYTES_MAX || all.at(-1)?.length === SEND_BATCH_MESSAGES_MAX) {
      all.push([]);
      bytes = 0;
    }
    all.at(-1)?.push(body);
    bytes += body.byteLength;
  }
  return all;
}
