import { useState } from "preact/hooks";

const TOLD_MS = 2_500;

export interface Copying {
  /** For a moment after each try. */
  readonly outcome: "copied" | "refused" | undefined;
  readonly copy: (text: string) => Promise<void>;
}

/** The clipboard, which a browser may refuse, and has none of where the page did not come over TLS. */
export function useCopy(): Copying {
  const [outcome, setOutcome] = useState<Copying["outcome"]>();
  const copy = async (text: string) => {
    const done = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    );
    setOutcome(done === true ? "copied" : "refused");
    setTimeout(() => setOutcome(undefined), TOLD_MS);
  };
  return { outcome, copy };
}
