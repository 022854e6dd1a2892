import { useState } from "preact/hooks";
import type { Known } from "./kept-answers.ts";
import { useAnswer } from "./use-answer.ts";

export interface Pages<T> {
  readonly known: Known<T>;
  /** Of the page that is shown, from 1. */
  readonly number: number;
  readonly next: (() => void) | undefined;
  readonly previous: (() => void) | undefined;
}

/** A list by pages, each found by the cursor of the one before. Another list begins at its first page. */
export function usePages<T extends { readonly next_cursor: string | null }>(path: string, ageMsMax?: number): Pages<T> {
  const [place, setPlace] = useState<{ readonly path: string; readonly cursors: readonly string[] }>({
    path,
    cursors: [],
  });
  const cursors = place.path === path ? place.cursors : [];
  const cursor = cursors.at(-1);
  const separator = path.includes("?") ? "&" : "?";
  const known = useAnswer<T>(
    { path: cursor === undefined ? path : `${path}${separator}cursor=${encodeURIComponent(cursor)}` },
    ageMsMax,
  );
  const next = known.answer?.next_cursor ?? undefined;
  return {
    known,
    number: cursors.length + 1,
    next: next === undefined ? undefined : () => setPlace({ path, cursors: [...cursors, next] }),
    previous: cursors.length === 0 ? undefined : () => setPlace({ path, cursors: cursors.slice(0, -1) }),
  };
}
