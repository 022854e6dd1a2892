import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

const waiting = new Set<() => void>();

/**
 * Does some work in a task of its own, one piece a frame, in the order in which it was asked for: what has been drawn is seen, and a tap or a key is
 * answered, between two. Answers a way to take it back.
 */
export function inTurn(work: () => void): () => void {
  // A work that is asked for twice is done twice.
  const turn = () => work();
  if (waiting.size === 0) afterFrame(next);
  waiting.add(turn);
  return () => void waiting.delete(turn);
}

function next(): void {
  const [turn] = waiting;
  if (turn === undefined) return;
  waiting.delete(turn);
  if (waiting.size > 0) afterFrame(next);
  turn();
}

/** In a frame itself it would make that frame late. */
function afterFrame(work: () => void): void {
  requestAnimationFrame(() => setTimeout(work));
}

export interface InTurnProps {
  /** What keeps the place until then. */
  readonly place: ComponentChildren;
  readonly children: ComponentChildren;
}

/** Is first drawn in its turn, and from then on together with all else. */
export function InTurn({ place, children }: InTurnProps) {
  const [hasCome, setCome] = useState(false);
  useEffect(() => inTurn(() => setCome(true)), []);
  return <>{hasCome ? children : place}</>;
}
