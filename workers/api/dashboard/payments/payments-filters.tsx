import { DIMENSIONS } from "../../../../shared/breakdown.ts";
import { show, view } from "../address/address.ts";
import type { AskedSpan } from "../address/asked-span.ts";
import type { Dimension, MetricsAnswer } from "../data/answers.ts";
import { metricsQuestion } from "../data/questions.ts";
import { useAnswer } from "../data/use-answer.ts";
import { valueName } from "../figures/value-name.ts";
import { Choice, type Option } from "../shell/choice.tsx";
import type { Merchant } from "../shell/merchant.ts";
import { t } from "../text/text.ts";
import { EVENT_TYPES, isFiltered, NO_FILTER, type PaymentsFilter } from "./payments-filter.ts";
import { paymentsText as p } from "./payments-text.ts";

export interface PaymentsFiltersProps {
  readonly merchant: Merchant;
  readonly span: AskedSpan;
  readonly filter: PaymentsFilter;
}

const ALL = "all";
/** Of a value that is asked for, so that none is taken for `all`. */
const VALUE = "=";

/** Chosen from what there is in the span, as the numbers of the span tell. */
export function PaymentsFilters({ merchant: { id: merchantId, zone }, span, filter }: PaymentsFiltersProps) {
  const { answer } = useAnswer<MetricsAnswer>(
    metricsQuestion({ merchantId, zone, from: span.from, to: span.to, granularity: "1mo" }),
  );
  const currencies = new Set(answer?.series.map(({ currency }) => currency));
  const { currency } = view.value;
  if (currency !== undefined) currencies.add(currency);
  return (
    <details class="filters no-print" open={isRoomy() || isFiltered(filter)}>
      <summary>{p("filters")}</summary>
      <div>
        <Choice
          label={p("type")}
          value={filter.type ?? ALL}
          options={[[ALL, p("all")], ...EVENT_TYPES.map((type) => [type, p(type)] as const)]}
          onChange={(type) => show({}, { type: type === ALL ? undefined : type })}
        />
        {DIMENSIONS.map((dimension) => (
          <Choice
            key={dimension}
            label={t(`dimension.${dimension}`)}
            value={filter.values[dimension] === undefined ? ALL : `${VALUE}${filter.values[dimension]}`}
            options={valueOptions(dimension, answer, filter.values[dimension])}
            onChange={(value) => show({}, { [dimension]: value === ALL ? undefined : value.slice(VALUE.length) })}
          />
        ))}
        {currencies.size > 1 && (
          <Choice
            label={t("currency.label")}
            value={currency ?? ALL}
            options={[[ALL, p("all")], ...[...currencies].map((code) => [code, code] as const)]}
            onChange={(code) => show({ currency: code === ALL ? undefined : code })}
          />
        )}
        {isFiltered(filter) && (
          <button type="button" class="quiet" onClick={() => show({}, NO_FILTER)}>
            {p("clear")}
          </button>
        )}
      </div>
    </details>
  );
}

/** On a phone the list comes first. */
const isRoomy = () => matchMedia("(min-width: 46rem)").matches;

function valueOptions(
  dimension: Dimension,
  answer: MetricsAnswer | undefined,
  chosen: string | undefined,
): Option<string>[] {
  const values = new Set(
    answer?.series.flatMap(({ total }) => total.breakdowns?.[dimension].values.map(({ value }) => value) ?? []),
  );
  if (chosen !== undefined && chosen !== "") values.add(chosen);
  return [
    [ALL, p("all")],
    ...[...values].map((value) => [`${VALUE}${value}`, valueName(dimension, value)] as const),
    [VALUE, t("value.unspecified")],
  ];
}
