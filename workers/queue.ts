/** Limits of one `sendBatch` call (Cloudflare Queues, "Limits"); the bytes with room for the platform's own. */
export const SEND_BATCH_MESSAGES_MAX = 100;
export const SEND_BATCH_BYTES_MAX = 250_000;

/**
 * Puts all bodies on a queue, in as few calls as the limits allow; resolves once the queue has every one of them. One that goes alone is
 * sent as the bytes it is, several as base64 in JSON, which the runtime makes of a batch. The bodies are the queue's from then on: the runtime
 * detaches the buffer of one that goes alone.
 */
export async function sendAll(
  queue: Queue,
  bodies: readonly Uint8Array<ArrayBuffer>[],
  options?: { readonly delaySeconds: number },
): Promise<void> {
  for (const [first, ...others] of groups(bodies)) {
    if (others.length === 0) await queue.send(first, { contentType: "bytes", ...options });
    else {
      await queue.sendBatch(
        [first, ...others].map((body) => ({ body, contentType: "bytes" as const })),
        options,
      );
    }
  }
}

type Group = [Uint8Array<ArrayBuffer>, ...Uint8Array<ArrayBuffer>[]];

function groups(bodies: readonly Uint8Array<ArrayBuffer>[]): Group[] {
  const all: Group[] = [];
  let bytes = 0;
  for (const body of bodies) {
    const group = all.at(-1);
    if (
      group === undefined ||
      bytes + body.byteLength > SEND_BATCH_BYTES_MAX ||
      group.length === SEND_BATCH_MESSAGES_MAX
    ) {
      all.push([body]);
      bytes = 0;
    } else group.push(body);
    bytes += body.byteLength;
  }
  return all;
}
