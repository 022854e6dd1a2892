import { ok } from "../../../shared/result.ts";
import type { Correction } from "../../directory/corrections.ts";
import { DirectoryUnavailable } from "../../directory/unavailable.ts";
import type { CachedReads, Served, Surroundings } from "./cached-reads.ts";
import type { KeptAnswer } from "./kept-answer.ts";
import { BELIEVED_MS } from "./lifetime.ts";
import type { Question } from "./question.ts";

export const NOON_MS = Date.UTC(2026, 10, 3, 12);
const DAY_MS = 86_400_000;

/** What a cache is of, for tests: numbers that change, corrections and marks, a data center, and a clock that stands still until told. */
export class SampleWorld {
  nowMs = NOON_MS;
  value = 1;
  mark = 1;
  computed = 0;
  isHistoryAway = false;
  isDirectoryAway = false;
  readonly corrections: Correction[] = [];
  readonly edge = new Map<string, KeptAnswer>();
  /** What happens after the numbers were read and before the answer is there. */
  meanwhile: () => void | Promise<void> = () => {};

  readonly around: Surroundings = {
    nowMs: () => this.nowMs,
    edge: {
      get: async (key) => this.edge.get(key),
      set: async (key, answer) => void this.edge.set(key, answer),
    },
    correctionsAfter: async (seq) => {
      if (this.isDirectoryAway) throw new DirectoryUnavailable("directory away");
      return this.corrections.filter((one) => one.seq > seq).reverse();
    },
    lastCorrectionOf: async (merchantId) => {
      if (this.isDirectoryAway) throw new DirectoryUnavailable("directory away");
      const own = this.corrections.filter((one) => one.merchantId === merchantId || one.merchantId === null);
      return Math.max(0, ...own.map(({ seq }) => seq));
    },
    markOf: async () => String(this.mark),
    believedMs: BELIEVED_MS,
    keepAlive: () => {},
  };

  correct(merchantId: string | null = "shop"): void {
    this.corrections.push({ seq: this.corrections.length + 1, merchantId, notedAt: this.nowMs });
  }

  /** Half a second later, when everything is asked for again. */
  later(ms = BELIEVED_MS): void {
    this.nowMs += ms;
  }

  /** About a span that ends so long ago; long enough, and it is final. */
  question(agoMs = 10 * DAY_MS, merchantId = "shop"): Question {
    const toMs = NOON_MS - agoMs;
    return {
      merchantId,
      key: `${merchantId}/report?at=${toMs}`,
      fromMs: toMs - DAY_MS,
      toMs,
      madeFromMs: toMs - DAY_MS,
      answer: async () => {
        if (this.isHistoryAway) throw new Error("history away");
        this.computed += 1;
        const value = this.value;
        const asOfMs = this.nowMs;
        await this.meanwhile();
        return ok({ text: JSON.stringify({ value }), contentType: "application/json", asOfMs });
      },
    };
  }
}

/** The number that an answer says. */
export function shownBy({ body }: Pick<KeptAnswer, "body">): number {
  return (JSON.parse(new TextDecoder().decode(body)) as { value: number }).value;
}

/** What a question that can be answered is given. */
export async function readFrom(reads: CachedReads, question: Question, around: Surroundings): Promise<Served> {
  const served = await reads.read(question, around);
  if (!served.ok) throw new Error("code" in served.error ? served.error.code : "a long table");
  return served.value;
}
