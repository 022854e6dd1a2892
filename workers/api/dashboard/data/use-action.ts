import { useState } from "preact/hooks";
import { type Answer, type AskOptions, ask, type Failure } from "./request.ts";

export interface Action {
  readonly isBusy: boolean;
  /** Why the last try came to nothing. */
  readonly failure: Failure | undefined;
  readonly run: <T>(path: string, options: AskOptions) => Promise<Answer<T>>;
  readonly forget: () => void;
}

/** Something that changes things, done when it is told to; what it answers is not kept. */
export function useAction(): Action {
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const run = async <T>(path: string, options: AskOptions): Promise<Answer<T>> => {
    setBusy(true);
    const answer = await ask<T>(path, options);
    setBusy(false);
    setFailure(answer.ok ? undefined : answer.error);
    return answer;
  };
  return { isBusy, failure, run, forget: () => setFailure(undefined) };
}
