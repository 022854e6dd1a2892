import { show, view } from "../address/address.ts";
import { MEASURE, type Measure, type Total } from "../data/answers.ts";
import { count, decimal, NOTHING } from "../text/format.ts";
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
  /** Whether those words are short enough to stand on each card. */
  readonly isElapsedShort?: boolean;
  /** Whether what is shown goes on: then room is kept for those words, lest all below them moves when they come. */
  readonly isGoingOn: boolean;
  /** What to look into, in the place of those words: it comes while the page is looked at, and must move nothing. */
  readonly hint?: string | undefined;
}

/** The figures, large, each with its change; the one that is pressed is the line below. */
export function FigureCards(props: FigureCardsProps) {
  const { total, isLoading, currency, measures, elapsedTo, isElapsedShort, isGoingOn, hint } = props;
  const isPart = total?.comparison?.current !== undefined;
  const baseTo = isPart && isElapsedShort === true ? elapsedTo : undefined;
  return (
    <>
      <fieldset class="figures" aria-label={t("measure.label")} aria-busy={isLoading}>
        {measures.map((measure) => (
          <FigureCard key={measure} {...{ measure, total, isLoading, currency, baseTo }} />
        ))}
      </fieldset>
      {(isPart || (isGoingOn && view.value.compare !== "none")) && (
        <p class="figures-note">
          <span role="status">{hint}</span>
          {hint === undefined && isPart && elapsedTo !== undefined && t("fresh.compared_to", { time: elapsedTo })}
        </p>
      )}
    </>
  );
}

interface FigureCardProps {
  readonly measure: Measure;
  readonly total: Total | undefined;
  readonly isLoading: boolean;
  readonly currency: string;
  /** Up to when the base is, where that is less than what is shown above it. */
  readonly baseTo: string | undefined;
}

function FigureCard({ measure, total, isLoading, currency, baseTo }: FigureCardProps) {
  const { of, goodUp } = MEASURE[measure];
  const comparison = total?.comparison;
  const base = comparison && of(comparison.base);
  const text = total === undefined ? NOTHING : measureText(measure, of(total), currency);
  return (
    <button
      type="button"
      class="figure"
      data-measure={measure}
      aria-pressed={view.value.measure === measure}
      onClick={() => show({ measure })}
    >
      <span class="figure-name">{t(`measure.${measure}`)}</span>
      <span class="figure-value" style={{ "--characters": String(text.length) }}>
        {total === undefined && isLoading ? <span class="placeholder" aria-hidden="true" /> : text}
      </span>
      {comparison && (
        <span class="figure-change">
          <ChangeText change={of(comparison.change)} goodUp={goodUp} />{" "}
          {base != null && <span class="figure-base">{baseOf(besideText(measure, base, currency), baseTo)}</span>}
        </span>
      )}
      {total !== undefined && <span class="figure-detail">{detailOf(measure, total, currency)}</span>}
    </button>
  );
}

/** What stands beneath a figure, in a line: what has more characters is shortened, and is whole in the chart's numbers and in the file. */
const BESIDE_LENGTH_MAX = 12;

function besideText(measure: Measure, value: number | null, currency: string): string {
  const text = measureText(measure, value, currency);
  return text.length > BESIDE_LENGTH_MAX ? measureText(measure, value, currency, { compact: true }) : text;
}

const baseOf = (value: string, time: string | undefined) =>
  time === undefined ? t("change.before", { value }) : t("change.before_by", { value, time });

function detailOf(
  measure: Measure,
  { payments, refunds, points, customers, p50, max }: Total,
  currency: string,
): string | undefined {
  switch (measure) {
    case "net":
      return t("detail.net", { amount: besideText("net", payments.amount, currency) });
    case "customers":
      // Whoever has only had something back has paid nothing, and is a customer, too.
      return customers && payments.count !== null && payments.count >= customers
        ? t("detail.customers", { count: decimal(payments.count / customers) })
        : undefined;
    case "payments":
      return max === null ? undefined : t("detail.payments", { amount: besideText("net", max, currency) });
    case "refunds":
      return t(refunds.count === 1 ? "detail.refund" : "detail.refunds", { count: count(refunds.count) });
    case "points":
      return t("detail.points", { count: count(points.used) });
    case "average":
      return p50 === null ? undefined : t("detail.median", { amount: besideText("net", p50, currency) });
    default:
      return undefined;
  }
}
