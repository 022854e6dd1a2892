import type { Failure } from "../data/request.ts";
import { dateAndTime } from "../text/format.ts";
import { t } from "../text/text.ts";
import { FailureText } from "./failure-text.tsx";
import { mayPass } from "./failure-words.ts";

export interface FailurePanelProps {
  readonly failure: Failure;
  /** Of when the numbers are that are shown all the same. */
  readonly shownAsOf?: string | undefined;
  readonly onRetry: () => void;
}

/** In the place of numbers that could not be had, or above those of before. */
export function FailurePanel({ failure, shownAsOf, onRetry }: FailurePanelProps) {
  if (failure.reason === "signed_out") return null;
  // That nobody can be reached is told above the page, with since when.
  if (failure.reason === "unreachable" && shownAsOf !== undefined) return null;
  return (
    <div class="failure" role="alert">
      <div>
        <p>
          <FailureText failure={failure} />
        </p>
        {shownAsOf !== undefined && <p>{t("offline.since", { time: dateAndTime(shownAsOf) })}</p>}
      </div>
      {mayPass(failure) && (
        <button type="button" onClick={onRetry}>
          {t("failure.retry")}
        </button>
      )}
    </div>
  );
}
