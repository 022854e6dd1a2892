import { useEffect, useLayoutEffect, useReducer } from "preact/hooks";
import { type Known, known, listen, type Question, refresh } from "./kept-answers.ts";

/** What changes may still come is asked for this often. */
const AGE_MS_MAX = 60_000;
const NOTHING: Known<never> = { answer: undefined, atMs: 0, failure: undefined, isLoading: false };

/**
 * The answer to a question while a component shows it: from memory at once, anew when it is old or the page is looked at again, and taken back when
 * the component goes. `undefined` asks nothing.
 */
export function useAnswer<T>(question: Question | undefined, ageMsMax = AGE_MS_MAX): Known<T> {
  const [, changed] = useReducer((count: number, _: undefined) => count + 1, 0);
  const key = question === undefined ? undefined : JSON.stringify(question);
  // Before the frame in which it waits is painted: what is asked for need not wait for that.
  useLayoutEffect(() => {
    if (key !== undefined) return listen(JSON.parse(key) as Question, ageMsMax, () => changed(undefined));
    // Not anew for another age: whoever leaves takes back what is under way, and it would be asked for twice.
  }, [key]);
  useEffect(() => {
    if (key === undefined) return;
    const asked = JSON.parse(key) as Question;
    const againAfter = (ageMs: number) => {
      if (!document.hidden && Date.now() - known(asked).atMs >= ageMs) refresh(asked);
    };
    const again = () => againAfter(ageMsMax);
    again();
    // An answer comes some time after it was asked for: by its whole age it would be asked for at every other turn only.
    const timer = Number.isFinite(ageMsMax) ? setInterval(() => againAfter(ageMsMax / 2), ageMsMax) : undefined;
    document.addEventListener("visibilitychange", again);
    addEventListener("online", again);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", again);
      removeEventListener("online", again);
    };
  }, [key, ageMsMax]);
  return question === undefined ? NOTHING : known<T>(question);
}
