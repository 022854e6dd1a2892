import { useRef, useState } from "preact/hooks";
import { type Known, known, type Question, refresh } from "./kept-answers.ts";
import { useAnswer } from "./use-answer.ts";

export interface Pages<T> {
  /** Of the page that is shown. */
  readonly question: Question;
  readonly known: Known<T>;
  /** Of the page that is shown, from 1. */
  readonly number: number;
  readonly next: (() => void) | undefined;
  readonly previous: (() => void) | undefined;
  /** Asks the page that is shown anew, and the first, on which what is new stands. */
  readonly refresh: () => void;
}

/**
 * A list by pages, each found by the cursor of the one before. Another list begins at its first page. While the next page is asked for the one before
 * stays, and with it the button that has the focus. `ageMsMaxOf` says after how long a page is asked for anew, by what it shows.
 */
export function usePages<T extends { readonly next_cursor: string | null }>(
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
  const last = useRef<{ readonly path: string; readonly answer: T }>(undefined);
  if (shown.answer !== undefined) last.current = { path, answer: shown.answer };
  const held = shown.failure === undefined && last.current?.path === path ? last.current.answer : undefined;
  return {
    question,
    known: { ...shown, answer: shown.answer ?? held },
    number: cursors.length + 1,
    next: next === undefined ? undefined : () => setPlace({ path, cursors: [...cursors, next] }),
    refresh: () => {
      refresh(question);
      refresh({ path });
    },
    previous: cursors.length === 0 ? undefined : () => setPlace({ path, cursors: cursors.slice(0, -1) }),
  };
}
