import { WINDOWS_MESSAGE_BYTES_MAX } from "../../shared/messages/windows.ts";
import { touched, touchedText } from "./calls.ts";
import type { Counting } from "./counting.ts";
import { figuresOf, type Item, n, within } from "./item.ts";
import { DAY_S, type Load, WINDOWS_PER_DAY } from "./load.ts";
import type { CapacityOptions } from "./options.ts";
import { LIMITS, QUEUE_CHUNK_BYTES, QUEUE_OPERATIONS_PER_CHUNK } from "./platform.ts";

export interface History {
  readonly items: readonly Item[];
  readonly operationsPerDay: number;
  readonly batchesPerDay: number;
  readonly confirmsPerDay: number;
  readonly rowsPerDay: number;
  readonly bytesPerDay: number;
}

/** Closed and corrected windows on their way to ClickHouse. */
export function historyOf(o: CapacityOptions, load: Load, shards: number, { emissionsPerShard }: Counting): History {
  const figure = figuresOf("history");
  const closed = load.activeMerchants * WINDOWS_PER_DAY;
  const corrected = o["events-per-day"] * o["late-share"];
  const rowsPerDay = closed + corrected;
  const rows = messageRowsOf(o);
  const perShard = load.activeMerchants / shards;
  const messagesPerClose = messagesOf(rows, perShard);
  const closing = shards * WINDOWS_PER_DAY * messagesPerClose;
  const correcting = shards * (emissionsPerShard - WINDOWS_PER_DAY);
  const messages = closing + correcting;
  const firstRows = Math.min(perShard, rows.first);
  const firstChunks = Math.ceil((firstRows * o["window-row-bytes"]) / QUEUE_CHUNK_BYTES);
  const furtherChunks = Math.ceil((rows.further * o["window-row-bytes"]) / QUEUE_CHUNK_BYTES);
  const chunksPerClose = firstChunks + (messagesPerClose - 1) * furtherChunks;
  const closes = shards * WINDOWS_PER_DAY;
  const operationsPerDay = (closes * chunksPerClose + correcting) * QUEUE_OPERATIONS_PER_CHUNK;
  const bytesPerDay = rowsPerDay * o["window-row-bytes"];
  const perShardPeak = load.activeMerchantsPeak / shards;
  const messagesPeak = (shards * messagesOf(rows, perShardPeak)) / o["closing-spread-s"];
  const batch = Math.min(100, 1 + (messages / DAY_S) * o["windows-wait-s"]);
  const groupBytes = o["windows-group-mb"] * 1e6;
  const groupMessages = Math.max(1, Math.floor(groupBytes / (bytesPerDay / messages)));
  const groups = Math.ceil(batch / groupMessages);
  const batchesPerDay = messages / batch;
  const inserts = batchesPerDay * groups;
  const insertsPeak = (inserts / DAY_S) * o.peak;
  const confirmsPerDay = inserts * touched(batch / groups, shards);
  const items = [
    figure(
      "windows_closed",
      closed,
      "rows/day",
      `${n(load.activeMerchants)} merchants × ${n(WINDOWS_PER_DAY)} windows`,
    ),
    figure("windows_corrected", corrected, "rows/day", `${n(o["events-per-day"])} × ${n(o["late-share"])} late`),
    figure(
      "windows_messages",
      messages,
      "messages/day",
      `${n(shards)} × ${n(WINDOWS_PER_DAY)} × ${messagesText(rows, perShard)} + ${n(shards)} × ${n(emissionsPerShard - WINDOWS_PER_DAY)} corrections`,
    ),
    figure(
      "windows_operations",
      operationsPerDay,
      "operations/day",
      `(${n(closes)} × (ceil(${n(firstRows)} × ${n(o["window-row-bytes"])} / ${n(QUEUE_CHUNK_BYTES)}) + ${n(messagesPerClose - 1)} further × ${n(furtherChunks)}) + ${n(correcting)}) × ${n(QUEUE_OPERATIONS_PER_CHUNK)}`,
    ),
    within(
      figure(
        "windows_messages_when_closing",
        messagesPeak,
        "messages/s",
        `${n(shards)} × ${messagesText(rows, perShardPeak)} / ${n(o["closing-spread-s"])} s`,
      ),
      LIMITS.queueMessages.value,
      LIMITS.queueMessages,
      "spread the shards' alarms over some of the ten minutes (--closing-spread-s; to be built); until then they are refused and ring again",
    ),
    within(
      figure(
        "inserts_peak",
        insertsPeak,
        "inserts/s",
        `${n(messages)} / ${n(batch)} a batch × ceil(${n(batch)} / max(1, floor(${n(groupBytes)} / ${n(bytesPerDay / messages)}))) / ${n(DAY_S)} × ${n(o.peak)}`,
      ),
      LIMITS.clickhouseInserts.value * o["history-tables"],
      LIMITS.clickhouseInserts,
      "larger inserts (--windows-group-mb, --windows-wait-s), rarer corrections (--correction-delay-s), or more ClickHouse shards " +
        "(--history-tables)",
    ),
    figure("rows_per_insert", rowsPerDay / inserts, "rows", `${n(rowsPerDay)} / ${n(inserts)}`),
    within(
      figure(
        "windows_consumers_peak",
        (insertsPeak * o["insert-ms"]) / 1e3,
        "invocations",
        `${n(insertsPeak)} inserts/s × ${n(o["insert-ms"])} / 1e3`,
      ),
      o["windows-consumers"],
      { of: "max_concurrency", source: "wrangler.toml" },
      "more consumers (--windows-consumers), as ClickHouse bears them, or larger inserts (--windows-group-mb)",
    ),
    figure("confirm_calls", confirmsPerDay, "calls/day", `${n(inserts)} × ${touchedText(batch / groups, shards)}`),
    figure("history_rows", rowsPerDay / DAY_S, "rows/s", `(${n(closed)} + ${n(corrected)}) / ${n(DAY_S)} s`),
    figure(
      "history_bytes",
      closed * o["history-row-bytes"],
      "bytes/day",
      `${n(closed)} × ${n(o["history-row-bytes"])}`,
    ),
    figure(
      "history_bytes_kept",
      closed * o["history-row-bytes"] * o["retention-days"],
      "bytes",
      `${n(closed * o["history-row-bytes"])} × ${n(o["retention-days"])} days`,
    ),
  ];
  return { items, operationsPerDay, batchesPerDay, confirmsPerDay, rowsPerDay, bytesPerDay };
}

/** Windows in an emission's first message, and in each further one. */
interface MessageRows {
  readonly first: number;
  readonly further: number;
}

/** As `sendWindows` fills them. */
function messageRowsOf(o: CapacityOptions): MessageRows {
  const rowsOf = (bytes: number) => Math.max(1, Math.floor(bytes / o["window-row-bytes"]));
  return {
    first: Math.min(o["message-rows-first"], rowsOf(WINDOWS_MESSAGE_BYTES_MAX)),
    further: Math.min(o["message-rows"], rowsOf(o["message-kb"] * 1e3)),
  };
}

function messagesOf({ first, further }: MessageRows, windows: number): number {
  return 1 + Math.ceil(Math.max(0, windows - first) / further);
}

function messagesText({ first, further }: MessageRows, windows: number): string {
  return `(1 + ceil(max(0, ${n(windows)} − ${n(first)}) / ${n(further)}))`;
}
