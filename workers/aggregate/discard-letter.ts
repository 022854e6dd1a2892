import { and, eq, isNull } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { deadLetters } from "../directory/schema.ts";
import { log } from "../log.ts";

/**
 * Removes a dead letter's body for good. Its length and SHA-256 stay, by which whoever has a copy can show that it is one. They are noted first, and
 * once: cut off in between, it is discarded again, and stays known by the moment and the digest of the first time.
 */
export async function discardLetter(
  { ARCHIVE, DIRECTORY }: { readonly ARCHIVE: R2Bucket; readonly DIRECTORY: D1Database },
  bodyKey: string,
  body: Uint8Array<ArrayBuffer>,
  nowMs: number,
): Promise<void> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  const bodySha256 = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  await drizzle(DIRECTORY)
    .update(deadLetters)
    .set({ discardedAt: nowMs, bodySha256 })
    .where(and(eq(deadLetters.bodyKey, bodyKey), isNull(deadLetters.discardedAt)));
  await ARCHIVE.delete(bodyKey);
  log("error", "dead letter discarded", { key: bodyKey, bytes: body.byteLength, sha256: bodySha256 });
}
