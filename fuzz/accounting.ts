import type { R2Bucket } from "@cloudflare/workers-types";
import { z } from "zod";
import { archivedLines } from "../scripts/archived-lines.ts";
import { WINDOW_MS } from "../shared/window.ts";
import { receiptSchema } from "../workers/ingest/receipt-schema.ts";
import type { RawAnswer } from "./raw-request.ts";

/** What the log must hold of each request, by its id: as many lines as its receipt says went on. */
export class Receipts {
  readonly #linesByRequest = new Map<string, number>();
  /** Said to have been counted at once, which no later request can undo. */
  counted = 0;

  /** Takes the answer to a request that posted events; throws when a receipt is none. */
  note({ status, headers, text }: RawAnswer): void {
    if (status !== 200 && status !== 202) return;
    const { accepted, duplicates, late, queued = 0 } = receiptSchema.parse(JSON.parse(text));
    this.counted += accepted;
    const lines = accepted + duplicates + late + queued;
    if (lines > 0) this.#linesByRequest.set(headers.get("x-request-id") ?? "", lines);
  }

  get lines(): number {
    return [...this.#linesByRequest.values()].reduce((sum, lines) => sum + lines, 0);
  }

  /** Requests of which the archive has more or fewer lines than were promised: what was refused has none. */
  differences(archived: ReadonlyMap<string, number>): string[] {
    const requests = new Set([...this.#linesByRequest.keys(), ...archived.keys()]);
    return [...requests].flatMap((request) => {
      const [promised, found] = [this.#linesByRequest.get(request) ?? 0, archived.get(request) ?? 0];
      return promised === found
        ? []
        : [`request ${request}: ${promised} events went on by its receipt, ${found} are archived`];
    });
  }
}

const lineSchema = z.looseObject({
  batch: z.string(),
  merchant_id: z.string(),
  event_id: z.string(),
  occurred_at: z.int(),
});

export interface Archived {
  readonly linesByRequest: ReadonlyMap<string, number>;
  readonly lines: number;
  /** Of each merchant, how many events there are by their ids, and by id and window: what is counted of it lies between. */
  readonly byMerchant: ReadonlyMap<string, { readonly ids: number; readonly idsInWindows: number }>;
}

export async function readArchive(archive: R2Bucket): Promise<Archived> {
  const linesByRequest = new Map<string, number>();
  const sets = new Map<string, { ids: Set<string>; idsInWindows: Set<string> }>();
  let lines = 0;
  for await (const line of archivedLines(archive)) {
    const { batch, merchant_id, event_id, occurred_at } = lineSchema.parse(JSON.parse(line));
    lines += 1;
    linesByRequest.set(batch, (linesByRequest.get(batch) ?? 0) + 1);
    const set = sets.get(merchant_id) ?? { ids: new Set(), idsInWindows: new Set() };
    sets.set(merchant_id, set);
    set.ids.add(event_id);
    set.idsInWindows.add(`${event_id} ${Math.floor(occurred_at / WINDOW_MS)}`);
  }
  const byMerchant = [...sets].map(([merchant, { ids, idsInWindows }]) => {
    return [merchant, { ids: ids.size, idsInWindows: idsInWindows.size }] as const;
  });
  return { linesByRequest, lines, byMerchant: new Map(byMerchant) };
}
