import { z } from "zod";
import { erasedUser } from "../../shared/erased-user.ts";
import { HAS_USER, USER_HI, USER_LO, WORDS } from "../../shared/event-batch.ts";
import { userHash } from "../../shared/identity.ts";
import { encodeRawMessage, RAW_MESSAGE_BYTES_MAX, type RawMessage } from "../../shared/messages/raw.ts";
import { encodeShardBatch } from "../../shared/messages/shard-batch.ts";
import { gunzip, gzip } from "../gzip.ts";
import { readLogMessage } from "./log-message.ts";
import { wholeObject } from "./whole-object.ts";

/** Lines of one message: some 520 KB as a rule, and never more than its events at their largest. */
const LINES_BYTES_MAX = 64_000_000;
/** Where a message would come out larger than a queue takes. */
const SMALLEST_LEVEL = 9;

const lineSchema = z.looseObject({ user: z.looseObject({ id: z.string().optional() }).optional() });

/** What became of a body: how many events had one of the users, or the body, if it cannot be read and stands as it was. */
export type ErasedLetter = { readonly events: number } | { readonly unreadable: Uint8Array<ArrayBuffer> };

/**
 * Takes users out of a dead letter of the log, in its lines and its columns: put back, it counts what it would have counted, to the byte. A body that is
 * gone, or is removed meanwhile, is nothing to do; erasing again changes nothing.
 */
export async function eraseLetter(bucket: R2Bucket, key: string, users: ReadonlySet<string>): Promise<ErasedLetter> {
  const object = await bucket.get(key);
  if (object === null) return { events: 0 };
  const body = await wholeObject(object);
  const erased = withoutUsers(body, users);
  if (erased === undefined) return { unreadable: body };
  // Not where it has gone since: nobody would ever remove it.
  if (erased.events > 0) await bucket.put(key, erased.body, { onlyIf: { etagMatches: object.etag } });
  return { events: erased.events };
}

/** Whether it is a message of the log that its consumer counts, with lines that can be read: events that were accepted. */
export const isLetterOfEvents = (body: Uint8Array): boolean => withoutUsers(body, new Set()) !== undefined;

/** `undefined` for what the log's consumer buries as it comes, or whose lines cannot be read or are not as many as it promises. */
function withoutUsers(
  body: Uint8Array,
  users: ReadonlySet<string>,
): { readonly body: Uint8Array<ArrayBuffer>; readonly events: number } | undefined {
  const read = readLogMessage(body);
  if (!read.ok) return undefined;
  const { raw, batch: events } = read.value;
  let found = 0;
  for (let i = 0; i < events.size; i++) {
    const hash = hexOf(events.userHi(i)) + hexOf(events.userLo(i));
    if (((events.flags[i] ?? 0) & HAS_USER) === 0 || !users.has(hash)) continue;
    const { lo, hi } = userHash(erasedUser(hash));
    events.words[WORDS * i + USER_LO] = lo;
    events.words[WORDS * i + USER_HI] = hi;
    found += 1;
  }
  const columns = encodeShardBatch(events);
  const lines = linesWithout(raw, users);
  if (lines === undefined) return undefined;
  const encode = (level?: number) => {
    const members = lines.texts.map(({ text, ...member }) => ({ ...member, gzip: gzip(text, level) }));
    return encodeRawMessage({ ...raw, members, columns });
  };
  const message = encode();
  const isTooLarge = message.byteLength > RAW_MESSAGE_BYTES_MAX;
  return { body: isTooLarge ? encode(SMALLEST_LEVEL) : message, events: Math.max(found, lines.found) };
}

function linesWithout({ members }: RawMessage, users: ReadonlySet<string>) {
  let found = 0;
  const without = (line: string): string => {
    const event: object = JSON.parse(line);
    const { user } = lineSchema.parse(event);
    if (user?.id === undefined || !users.has(user.id)) return line;
    found += 1;
    return JSON.stringify({ ...event, user: { ...user, id: erasedUser(user.id) } });
  };
  try {
    const texts = members.map(({ hourMs, events, gzip: packed }) => {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(gunzip(packed, LINES_BYTES_MAX));
      const lines = text.split("\n");
      if (lines.filter((line) => line !== "").length !== events) return undefined;
      return { hourMs, events, text: lines.map((line) => (line === "" ? "" : without(line))).join("\n") };
    });
    return texts.every((text) => text !== undefined) ? { texts, found } : undefined;
  } catch {
    return undefined; // No gzip, UTF-8 or JSON: bytes that ingest did not write.
  }
}

const hexOf = (half: number) => half.toString(16).padStart(8, "0");
