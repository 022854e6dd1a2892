import { useMemo, useRef } from "preact/hooks";
import type { MetricsAnswer } from "./answers.ts";

/**
 * The answer, or, while another base is asked for, the one before without what it was compared with: numbers stay where they are, and none stands
 * beside the wrong base. `subject` is all of a question but its base.
 */
export function useHeld(answer: MetricsAnswer | undefined, subject: string): MetricsAnswer | undefined {
  const last = useRef<{ readonly subject: string; readonly answer: MetricsAnswer }>(undefined);
  if (answer !== undefined) last.current = { subject, answer };
  const held = last.current?.subject === subject ? last.current.answer : undefined;
  return useMemo(() => answer ?? (held && withoutBase(held)), [answer, held]);
}

function withoutBase({ compare: _, series, ...answer }: MetricsAnswer): MetricsAnswer {
  return {
    ...answer,
    series: series.map(({ total, buckets, ...one }) => ({
      ...one,
      total: uncompared(total),
      buckets: buckets.map(uncompared),
    })),
  };
}

function uncompared<T extends { comparison?: unknown }>({ comparison: _, ...rest }: T): Omit<T, "comparison"> {
  return rest;
}
