import { decodeRawMessage } from "../../shared/messages/raw.ts";

/** How many events a message of the RAW queue holds, by its header. */
export function rawEvents(body: unknown): number {
  const raw = decodeRawMessage(body);
  return raw.ok ? raw.value.members.reduce((sum, { events }) => sum + events, 0) : 0;
}
