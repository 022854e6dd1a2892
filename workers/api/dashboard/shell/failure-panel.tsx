import type { Failure } from "../data/request.ts";
import { t } from "../text/text.ts";

/** In the place of numbers that could not be had. */
export function FailurePanel({ failure, onRetry }: { readonly failure: Failure; readonly onRetry: () => void }) {
  if (failure.reason === "signed_out") return null;
  return (
    <div class="failure" role="alert">
      <p>{failureText(failure)}</p>
      <button type="button" onClick={onRetry}>
        {t("failure.retry")}
      </button>
    </div>
  );
}

export function failureText(failure: Failure): string {
  switch (failure.reason) {
    case "signed_out":
      return t("expired.title");
    case "unreachable":
      return t("failure.unreachable");
    case "refused":
      return failure.code === "history_unavailable"
        ? t("failure.history")
        : t("failure.refused", { detail: failure.detail });
    default:
      return failure satisfies never;
  }
}
