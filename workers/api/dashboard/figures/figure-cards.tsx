import { show, view } from "../address/address.ts";
import { MEASURE, type Measure, type Total } from "../data/answers.ts";
import { count, decimal, money, NOTHING } from "../text/format.ts";
import { t } from "../text/text.ts";
import { ChangeText } from "./change-text.tsx";
import { measureText } from "./measure-text.ts";

export interface FigureCardsProps {
  /** `undefined` while it is asked for, and when it cannot be had. */
  readonly total: Total | undefined;
  readonly isLoading: boolean;
  readonly currency: string;
  readonly measures: readonly Measure[];
  /** Up to when changes are, in words; told where that is less than what is shown. */
  readonly elapsedTo: string | undefined;
}

/** The figures, large, each with its change; the one that is pressed is the line below. */
export function FigureCards({ total, isLoading, currency, measures, elapsedTo }: FigureCardsProps) {
  const isPart = total?.comparison?.current !== undefined;
  return (
    <>
      <fieldset class="figures" aria-label={t("measure.label")} aria-busy={isLoading}>
        {measures.map((measure) => (
          <FigureCard key={measure} measure={measure} total={total} isLoading={isLoading} currency={currency} />
        ))}
      </fieldset>
      {isPart && elapsedTo !== undefined && <p class="figures-note">{t("fresh.compared_to", { time: elapsedTo })}</p>}
    </>
  );
}

interface FigureCardProps {
  readonly measure: Measure;
  readonly total: Total | undefined;
  readonly isLoading: boolean;
  readonly currency: string;
}

function FigureCard({ measure, total, isLoading, currency }: FigureCardProps) {
  const { of, goodUp } = MEASURE[measure];
  const comparison = total?.comparison;
  return (
    <button
      type="button"
      class="figure"
      data-measure={measure}
      aria-pressed={view.value.measure === measure}
      onClick={() => show({ measure })}
    >
      <span class="figure-name">{t(`measure.${measure}`)}</span>
      <span class="figure-value">
        {total !== undefined ? (
          measureText(measure, of(total), currency)
        ) : isLoading ? (
          <span class="placeholder" aria-hidden="true" />
        ) : (
          NOTHING
        )}
      </span>
      {comparison && (
        <span class="figure-change">
          <ChangeText change={of(comparison.change)} goodUp={goodUp} />{" "}
          <span class="figure-base">
            {t("change.before", { value: measureText(measure, of(comparison.base), currency) })}
          </span>
        </span>
      )}
      {total !== undefined && <span class="figure-detail">{detailOf(measure, total, currency)}</span>}
    </button>
  );
}

function detailOf(
  measure: Measure,
  { payments, refunds, points, customers, p50, max }: Total,
  currency: string,
): string | undefined {
  switch (measure) {
    case "net":
      return t("detail.net", { amount: money(payments.amount, currency) });
    case "customers":
      return customers ? t("detail.customers", { count: decimal((payments.count ?? 0) / customers) }) : undefined;
    case "payments":
      return max === null ? undefined : t("detail.payments", { amount: money(max, currency) });
    case "refunds":
      return t("detail.refunds", { count: count(refunds.count) });
    case "points":
      return t("detail.points", { count: count(points.used) });
    case "average":
      return t("detail.median", { amount: money(p50, currency) });
    default:
      return undefined;
  }
}
