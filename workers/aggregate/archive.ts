import { archiveKey } from "../../shared/archive-key.ts";
import type { RawMessage } from "../../shared/messages/raw.ts";
import { concat, toHex } from "../bytes.ts";
import { isolateMeter } from "../meter/isolate-meter.ts";

/**
 * Writes one object an event hour: the members of all messages one after another, which is itself valid gzip. Its key is made of
 * the messages in it, so the same batch delivered again overwrites what it wrote; a batch cut differently repeats lines, which
 * every reader of the archive must pass over by `(merchant_id, event_id)`. Answers the keys.
 */
export async function archive(bucket: R2Bucket, messages: readonly RawMessage[]): Promise<string[]> {
  const hours = new Map<number, { readonly batch: string; readonly gzip: Uint8Array }[]>();
  for (const { batch, members } of messages) {
    for (const { hourMs, gzip } of members) {
      const members = hours.get(hourMs) ?? [];
      members.push({ batch, gzip });
      hours.set(hourMs, members);
    }
  }
  const receivedAtMs = Math.min(...messages.map((message) => message.receivedAtMs));
  return await Promise.all(
    [...hours].map(async ([hourMs, members]) => {
      members.sort((a, b) => (a.batch < b.batch ? -1 : 1));
      const name = `${receivedAtMs}-${await digest(members.map(({ batch }) => batch).join("\n"))}`;
      const bytes = concat(members.map(({ gzip }) => gzip));
      const key = archiveKey(hourMs, name);
      await bucket.put(key, bytes, {
        // Not as an encoding of NDJSON: whatever serves it might unpack it then, or pack it once more.
        httpMetadata: { contentType: "application/gzip" },
      });
      isolateMeter.count("archive_objects", 1);
      isolateMeter.count("archive_bytes", bytes.byteLength);
      return key;
    }),
  );
}

async function digest(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return toHex(new Uint8Array(hash).subarray(0, 12));
}
