import type { ComponentChildren } from "preact";
import { useMemo, useRef } from "preact/hooks";
import { DIMENSIONS } from "../../../../shared/breakdown.ts";
import type { Dimension, MetricsAnswer } from "../data/answers.ts";
import { refreshAll } from "../data/kept-answers.ts";
import { seriesOf } from "../figures/series-of.ts";
import { FailurePanel } from "../shell/failure-panel.tsx";
import { InTurn } from "../shell/in-turn.tsx";
import { t } from "../text/text.ts";
import { AmountsPanel } from "./amounts-panel.tsx";
import { heatOf } from "./heat.ts";
import { HeatMap } from "./heat-map.tsx";
import type { PanelSpan } from "./panel-file.ts";
import { partsOf } from "./parts.ts";
import { PartsPanel } from "./parts-panel.tsx";
import { type SpanReading, useHours } from "./use-span.ts";

export interface SpanPanelsProps {
  readonly reading: SpanReading;
  readonly currency: string;
}

/** What a span is made of: panels, most of them below the screen, each first drawn in its turn once all that it shows has been answered. */
export function SpanPanels({ reading, currency }: SpanPanelsProps) {
  const { wish, dates, main, whole } = reading;
  const hours = useHours(wish, currency);
  const { answer, bases } = useHeldParts(reading);
  const spanOf = ({ from, to }: Pick<MetricsAnswer, "from" | "to">): PanelSpan => {
    return { merchantId: wish.merchantId, from, to, currency };
  };
  const heat = useMemo(() => hours.answer && heatOf(hours.answer, dates), [hours.answer, dates.from, dates.last]);
  const failure = hours.answer === undefined ? hours.failure : answer === undefined ? whole.failure : undefined;
  if (answer === undefined && main.answer === undefined && main.failure !== undefined) return null;
  if (failure !== undefined) return <FailurePanel failure={failure} onRetry={refreshAll} />;
  return (
    <>
      <Placed title={t("heat.title")} class="heat-panel">
        {heat && hours.answer && <HeatMap heat={heat} span={spanOf(hours.answer)} />}
      </Placed>
      <div class="panels">
        {DIMENSIONS.map((dimension) => (
          <Placed key={dimension} title={t(`dimension.${dimension}`)}>
            {answer && <Parts {...{ dimension, currency, bases }} merchantId={wish.merchantId} whole={answer} />}
          </Placed>
        ))}
        <Placed title={t("amounts.title")} class="amounts-panel">
          {answer && <AmountsPanel total={seriesOf(answer, currency)?.total} span={spanOf(answer)} />}
        </Placed>
      </div>
    </>
  );
}

/** While another base is asked for, the parts of before without their change: they stay where they are, and none stands beside the wrong base. */
function useHeldParts({ wish, whole, bases }: SpanReading) {
  const subject = `${wish.from} ${wish.to} ${wish.zone}`;
  const last = useRef<{ readonly subject: string; readonly answer: MetricsAnswer }>(undefined);
  if (bases !== "asked" && whole.answer !== undefined) last.current = { subject, answer: whole.answer };
  const held = last.current?.subject === subject && whole.failure === undefined ? last.current.answer : undefined;
  return bases === "asked" || whole.answer === undefined
    ? { answer: held, bases: NONE }
    : { answer: whole.answer, bases };
}

const NONE: readonly MetricsAnswer[] = [];

interface PlacedProps {
  readonly title: string;
  readonly class?: string;
  /** The panel; `undefined` while it is waited for. */
  readonly children: ComponentChildren;
}

/** A panel's place, with its title, until the panel is there. */
function Placed({ title, class: className = "", children }: PlacedProps) {
  const place = (
    <section class={`panel place ${className}`} aria-label={title} aria-busy="true">
      <h2>{title}</h2>
    </section>
  );
  return children === undefined ? place : <InTurn place={place}>{children}</InTurn>;
}

interface PartsProps {
  readonly merchantId: string;
  readonly dimension: Dimension;
  readonly currency: string;
  readonly whole: MetricsAnswer;
  readonly bases: readonly MetricsAnswer[];
}

/** Not drawn again when something else of the page changes. */
function Parts({ merchantId, dimension, currency, whole, bases }: PartsProps) {
  return useMemo(
    () => (
      <PartsPanel
        dimension={dimension}
        parts={partsOf(dimension, currency, whole, bases)}
        span={{ merchantId, from: whole.from, to: whole.to, currency }}
      />
    ),
    [merchantId, dimension, currency, whole, bases],
  );
}
