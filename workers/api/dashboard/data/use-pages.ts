import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import { type Known, known, type Question, renew } from "./kept-answers.ts";
import { useAnswer } from "./use-answer.ts";

export interface Pages<T> {
  /** Of the page that is shown. */
  readonly question: Question;
  readonly known: Known<T>;
  /** Of the page that is shown, from 1. */
  readonly number: number;
  readonly next: (() => void) | undefined;
  /** Whether there is a next page, and it is too early to ask for it. */
  readonly isPausing: boolean;
  readonly previous: (() => void) | undefined;
  /** After a change: asks the page that is shown anew, and the first, on which what is new stands. */
  readonly refresh: () => void;
}

/**
 * A list by pages, each found by the cursor of the one before. Another list begins at its first page. While the next page is asked for the one before
 * stays, and with it the button that has the focus. An answer may say that the next page is to be asked for some seconds later. `ageMsMaxOf` says after how long a page is asked for anew, by what it shows.
 */
export function usePages<T extends { readonly next_cursor: string | null; readonly next_after_s?: number }>(
  path: string,
  ageMsMaxOf?: (answer: T | undefined) => number,
): Pages<T> {
  const [place, setPlace] = useState<{ readonly path: string; readonly cursors: readonly string[] }>({
    path,
    cursors: [],
  });
  const cursors = place.path === path ? place.cursors : [];
  const cursor = cursors.at(-1);
  const separator = path.includes("?") ? "&" : "?";
  const question = { path: cursor === undefined ? path : `${path}${separator}cursor=${encodeURIComponent(cursor)}` };
  const shown = useAnswer<T>(question, ageMsMaxOf?.(known<T>(question).answer));
  const next = shown.answer?.next_cursor ?? undefined;
  const isPausing = useIsBefore(shown.atMs + (shown.answer?.next_after_s ?? 0) * 1_000);
  const last = useRef<{ readonly path: string; readonly answer: T }>(undefined);
  if (shown.answer !== undefined) last.current = { path, answer: shown.answer };
  const held = shown.failure === undefined && last.current?.path === path ? last.current.answer : undefined;
  return {
    question,
    known: { ...shown, answer: shown.answer ?? held },
    number: cursors.length + 1,
    isPausing: next !== undefined && isPausing,
    next: next === undefined || isPausing ? undefined : () => setPlace({ path, cursors: [...cursors, next] }),
    refresh: () => {
      renew(question);
      if (cursor !== undefined) renew({ path });
    },
    previous: cursors.length === 0 ? undefined : () => setPlace({ path, cursors: cursors.slice(0, -1) }),
  };
}

/** Whether it is before a moment; who shows it is drawn again when it is not any more. */
function useIsBefore(ms: number): boolean {
  const [turn, passed] = useReducer((count: number, _: undefined) => count + 1, 0);
  const leftMs = ms - Date.now();
  useEffect(() => {
    if (leftMs <= 0) return;
    const timer = setTimeout(() => passed(undefined), leftMs);
    return () => clearTimeout(timer);
    // By the moment: what is left of it is other whenever it is drawn. And once more where a timer was early, or the clock was set back.
  }, [ms, turn]);
  return leftMs > 0;
}
