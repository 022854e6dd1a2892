import type { Failure } from "../data/request.ts";
import { t } from "../text/text.ts";
import { failureWords } from "./failure-words.ts";

export interface FailureTextProps {
  readonly failure: Failure;
  /** Whether it stands beside what is wrong, which needs no name then. */
  readonly isBesideIt?: boolean;
}

/** Why there is no answer, in the page's language; what only the API can say is beside it, in its own. */
export function FailureText({ failure, isBesideIt = false }: FailureTextProps) {
  const { text, detail } = failureWords(failure, t, isBesideIt);
  return (
    <>
      {text}
      {detail !== undefined && (
        <>
          {" "}
          <span lang="en" class="api-detail">
            {detail}
          </span>
        </>
      )}
    </>
  );
}
