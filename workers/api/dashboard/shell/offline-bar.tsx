import { refreshAll } from "../data/kept-answers.ts";
import { lastAnswerMs, reachable } from "../data/request.ts";
import { clockTime, timeIn } from "../text/format.ts";
import { t } from "../text/text.ts";

/** While the API cannot be reached: that the numbers stand still, and since when. */
export function OfflineBar({ zone }: { readonly zone?: string | undefined }) {
  return (
    <div role="status">
      {!reachable.value && (
        <div class="offline">
          <span>
            <strong>{t("offline.title")}</strong>{" "}
            {zone !== undefined &&
              lastAnswerMs.value > 0 &&
              t("offline.since", { time: clockTime(timeIn(zone, lastAnswerMs.value)) })}
          </span>
          <button type="button" class="quiet" onClick={refreshAll}>
            {t("offline.retry")}
          </button>
        </div>
      )}
    </div>
  );
}
