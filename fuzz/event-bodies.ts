import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { integerBetween, pick, type Random } from "../scripts/seeded-random.ts";
import { sentBody } from "../shared/event-text.arbitrary.ts";
import { HOUR_MS } from "../shared/window.ts";
import { mutatedJson } from "./json-mutation.ts";
import { CE_HEADERS, CONTENT_ENCODINGS, CONTENT_TYPES } from "./odd-values.ts";
import { MERCHANTS, type World } from "./world.ts";

/** What is posted as events: valid ones with something wrong, in every form they may have. */

interface EventBody {
  readonly headers: [string, string][];
  readonly bytes: Uint8Array;
}

const EVENTS_MAX = 6;
const BOMB_SHARE = 0.004;
const GENERATED_SHARE = 0.1;

export function eventBody(world: World, index: number, random: Random): EventBody {
  if (random() < BOMB_SHARE) {
    const { bytes } = pick(random, world.bombs);
    return {
      headers: [
        ["Content-Type", "application/x-ndjson"],
        ["Content-Encoding", "gzip"],
      ],
      bytes,
    };
  }
  if (random() < GENERATED_SHARE) {
    const [sent] = fc.sample(sentBody, { seed: integerBetween(random, 0, 2 ** 31 - 1), numRuns: 1 });
    if (sent !== undefined) return encoded([["Content-Type", sent.contentType]], sent.bytes, random);
  }
  const events = Array.from({ length: integerBetween(random, 1, EVENTS_MAX) }, (_, n) =>
    eventOf(world, index, n, random),
  );
  const { type, text, headers } = formOf(events, random);
  const types = random() < 0.94 ? [type] : [pick(random, CONTENT_TYPES), ...(random() < 0.3 ? [type] : [])];
  const fields = types.map((one): [string, string] => ["Content-Type", one]);
  return encoded([...fields, ...headers], damaged(Buffer.from(text), random), random);
}

function eventOf({ startMs }: World, index: number, n: number, random: Random): Record<string, unknown> {
  const occurredMs = startMs - integerBetween(random, 0, HOUR_MS);
  const optional: Record<string, unknown> = {
    points_used: 3,
    points_earned: 5,
    refund_of: `c${index}-0`,
    user: {
      id: `u-${integerBetween(random, 1, 500)}`,
      ...{ grade: "gold", gender: "female", country: "JP", device: "ios", age_band: "25-34" },
      ...{ email: "a@b.example", date_of_birth: "1990-05-05" },
    },
    merchant: { grade: "a", location: "Shibuya", business_type: "cafe" },
    attributes: { till: "3" },
  };
  const given = Object.entries(optional).filter(() => random() < 0.3);
  return {
    event_id: `c${index}-${n}`,
    type: random() < 0.85 ? "payment" : "refund",
    merchant_id: pick(random, MERCHANTS),
    occurred_at: random() < 0.7 ? occurredMs : new Date(occurredMs).toISOString(),
    amount: integerBetween(random, 0, 100_000),
    currency: pick(random, ["JPY", "JPY", "JPY", "USD", "KWD"]),
    payment_method: pick(random, ["card", "qr", "cash", "=HYPERLINK(1)"]),
    ...Object.fromEntries(given),
  };
}

interface Form {
  readonly type: string;
  readonly text: string;
  readonly headers: [string, string][];
}

function formOf(events: readonly Record<string, unknown>[], random: Random): Form {
  const [first = {}] = events;
  const json = (value: unknown) => mutatedJson(value, pick(random, [0, 0, 0, 0, 1, 1, 2, 3]), random);
  switch (integerBetween(random, 0, 7)) {
    case 0:
      return { type: "application/json", text: json(first), headers: [] };
    case 1:
      return { type: "application/json", text: json(events), headers: [] };
    case 2:
      return { type: "application/cloudevents+json", text: json(cloudEvent(first)), headers: [] };
    case 3:
      return { type: "application/cloudevents-batch+json", text: json(events.map(cloudEvent)), headers: [] };
    case 4: {
      const headers = Array.from({ length: integerBetween(random, 1, 6) }, () => pick(random, CE_HEADERS));
      return { type: "application/json", text: json(first), headers: headers.map(([name, value]) => [name, value]) };
    }
    default: {
      const ends = pick(random, ["\n", "\n", "\r\n", "\n\n", "\u2028", "\r"]);
      return { type: "application/x-ndjson", text: events.map(json).join(ends), headers: [] };
    }
  }
}

function cloudEvent({ event_id, occurred_at, type, ...data }: Record<string, unknown>): Record<string, unknown> {
  const time = new Date(Number(occurred_at) || String(occurred_at)).toISOString();
  return { specversion: "1.0", id: event_id, source: "/fuzz", type: `app.${String(type)}`, time, data };
}

/** Bytes that are no text, marks of byte order, ends that are missing. */
function damaged(bytes: Buffer, random: Random): Buffer {
  if (random() < 0.85) return bytes;
  const at = integerBetween(random, 0, Math.max(0, bytes.length - 1));
  const spliced = (put: readonly number[]) =>
    Buffer.concat([bytes.subarray(0, at), Buffer.from(put), bytes.subarray(at + 1)]);
  switch (integerBetween(random, 0, 7)) {
    case 0:
      return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]);
    case 1:
      return Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(bytes.toString(), "utf16le")]);
    case 2:
      return bytes.subarray(0, at);
    case 3:
      return spliced([0xff]);
    case 4:
      return spliced([0x00]);
    case 5:
      return spliced([0xed, 0xa0, 0x80]);
    case 6:
      return spliced([0xc0, 0xaf]);
    default:
      return Buffer.concat([bytes, bytes]);
  }
}

function encoded(headers: [string, string][], bytes: Uint8Array, random: Random): EventBody {
  if (random() < 0.7) return { headers, bytes };
  const packed = gzipSync(bytes);
  const right: [string, string] = ["Content-Encoding", "gzip"];
  if (random() < 0.6) return { headers: [...headers, right], bytes: packed };
  switch (integerBetween(random, 0, 5)) {
    case 0:
      return { headers: [...headers, right], bytes };
    case 1:
      return { headers: [...headers, right], bytes: packed.subarray(0, packed.length >> 1) };
    case 2:
      return { headers: [...headers, right], bytes: Buffer.concat([packed, packed]) };
    case 3:
      return { headers: [...headers, right], bytes: Buffer.concat([packed, Buffer.from("rest")]) };
    case 4:
      return { headers: [...headers, right, right], bytes: gzipSync(packed) };
    default:
      return { headers: [...headers, ["Content-Encoding", pick(random, CONTENT_ENCODINGS)]], bytes: packed };
  }
}
