import type { PaymentEvent } from "../../shared/event.ts";
import { encodeRawMessage, RAW_MESSAGE_BYTES_MAX, type RawMember } from "../../shared/messages/raw.ts";
import { HOUR_MS } from "../../shared/window.ts";
import { gzip } from "../gzip.ts";

/** What every line says besides the event. */
export interface Provenance {
  /** The request. */
  readonly batch: string;
  readonly source: string;
  readonly receivedAtMs: number;
}

/** Room for the frame's header; a member's entry in it takes some 60 bytes. */
const HEADER_BYTES_MAX = 20_000;
const MEMBERS_PER_MESSAGE_MAX = 200;
const MEMBER_BYTES_MAX = RAW_MESSAGE_BYTES_MAX - HEADER_BYTES_MAX;

/** The accepted events of one request as messages for the log: gzip members by event hour, packed into as few as will hold them. */
export function packEvents(events: readonly PaymentEvent[], provenance: Provenance): Uint8Array<ArrayBuffer>[] {
  const groups: RawMember[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const member of membersOf(events, provenance)) {
    if (bytes + member.gzip.byteLength > MEMBER_BYTES_MAX || groups.at(-1)?.length === MEMBERS_PER_MESSAGE_MAX) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(member);
    bytes += member.gzip.byteLength;
  }
  return groups.map((members, part) =>
    encodeRawMessage({ batch: `${provenance.batch}-${part}`, receivedAtMs: provenance.receivedAtMs, members }),
  );
}

function membersOf(events: readonly PaymentEvent[], { batch, source, receivedAtMs }: Provenance): RawMember[] {
  const hours = new Map<number, string[]>();
  for (const event of events) {
    const hourMs = event.occurred_at - (event.occurred_at % HOUR_MS);
    const line = `${JSON.stringify({ ...event, received_at: receivedAtMs, source, batch })}\n`;
    const lines = hours.get(hourMs);
    if (lines === undefined) hours.set(hourMs, [line]);
    else lines.push(line);
  }
  return [...hours].flatMap(([hourMs, lines]) => compress(hourMs, lines));
}

/** One member, or as many as it takes: lines that do not fit are halved. A single one is at most some 5 KB. */
function compress(hourMs: number, lines: readonly string[]): RawMember[] {
  const packed = gzip(lines.join(""));
  if (packed.byteLength <= MEMBER_BYTES_MAX) return [{ hourMs, events: lines.length, gzip: packed }];
  const middle = Math.ceil(lines.length / 2);
  return [...compress(hourMs, lines.slice(0, middle)), ...compress(hourMs, lines.slice(middle))];
}
