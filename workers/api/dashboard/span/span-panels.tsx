import { DIMENSIONS } from "../../../../shared/breakdown.ts";
import { refreshAll } from "../data/kept-answers.ts";
import { seriesOf } from "../figures/series-of.ts";
import { FailurePanel } from "../shell/failure-panel.tsx";
import { AmountsPanel } from "./amounts-panel.tsx";
import { heatOf } from "./heat.ts";
import { HeatMap } from "./heat-map.tsx";
import { partsOf } from "./parts.ts";
import { PartsPanel } from "./parts-panel.tsx";
import { type SpanReading, useHours } from "./use-span.ts";

export interface SpanPanelsProps {
  readonly reading: SpanReading;
  readonly currency: string;
}

/** What a span is made of. */
export function SpanPanels({ reading, currency }: SpanPanelsProps) {
  const { wish, dates, main, whole, bases } = reading;
  const hours = useHours(wish, main.answer === undefined ? undefined : currency);
  const failure = hours.answer === undefined ? hours.failure : whole.answer === undefined ? whole.failure : undefined;
  if (main.answer === undefined && main.failure !== undefined) return null;
  if (failure !== undefined) return <FailurePanel failure={failure} onRetry={refreshAll} />;
  return (
    <>
      <HeatMap heat={hours.answer && heatOf(hours.answer, dates)} currency={currency} />
      <div class="panels">
        {DIMENSIONS.map((dimension) => (
          <PartsPanel
            key={dimension}
            dimension={dimension}
            parts={partsOf(dimension, currency, whole.answer, bases)}
            currency={currency}
            isLoading={whole.answer === undefined}
          />
        ))}
        <AmountsPanel total={seriesOf(whole.answer, currency)?.total} currency={currency} />
      </div>
    </>
  );
}
