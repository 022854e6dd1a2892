import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import { DIMENSIONS } from "../../../../shared/breakdown.ts";
import type { View } from "../address/view.ts";
import type { Granularity } from "../data/answers.ts";
import { Choice } from "../shell/choice.tsx";
import { t } from "../text/text.ts";
import {
  CLOCK_DIMENSIONS,
  type Exploration,
  FIGURE_NAMES,
  type Field,
  isAskable,
  LIMIT_ROWS_MAX,
  type ValueFilter,
} from "./exploration.ts";
import { exploreText as x } from "./explore-text.ts";
import { FilterFields } from "./filter-fields.tsx";
import { OrderChoice } from "./order-choice.tsx";

export interface ExploreFormProps {
  readonly exploration: Exploration;
  readonly granularity: Granularity;
  readonly granularities: readonly Granularity[];
  readonly currency: string | undefined;
  readonly wrong: { readonly field: Field; readonly text: ComponentChildren } | undefined;
  readonly onAsk: (exploration: Exploration, change: Partial<View>) => void;
}

/** Nothing is asked before it is submitted. */
export function ExploreForm({ exploration, granularities, wrong, onAsk, ...asked }: ExploreFormProps) {
  const [draft, setDraft] = useState(exploration);
  const [granularity, setGranularity] = useState(asked.granularity);
  const [currency, setCurrency] = useState(asked.currency ?? "");
  const id = useId();
  const change = (part: Partial<Exploration>) => setDraft({ ...draft, ...part });
  // What cannot be asked for now stays chosen until it can again.
  const metrics = draft.metrics.filter((figure) => isAskable(figure, draft));
  const submit = (event: Event) => {
    event.preventDefault();
    onAsk({ ...draft, metrics, as: exploration.as }, { granularity, currency: currency === "" ? undefined : currency });
  };
  const wrongAt = (field: Field) => <Wrong text={wrong?.field === field ? wrong.text : undefined} />;
  const isByValue = draft.breakdown !== undefined || draft.filter !== undefined;
  const hasTime = draft.clock.includes("time");
  return (
    <form class="panel explore no-print" onSubmit={submit}>
      <Group title={x("metrics")}>
        <div class="ticks">
          {FIGURE_NAMES.map((figure) => (
            <Tick
              key={figure}
              text={x(figure)}
              isOn={metrics.includes(figure)}
              isOff={!isAskable(figure, draft)}
              onChange={() => change({ metrics: toggled(FIGURE_NAMES, draft.metrics, figure) })}
            />
          ))}
        </div>
        {wrongAt("metrics")}
        {metrics.length === 0 && <p class="wrong">{x("no_metric")}</p>}
        {isByValue && wrong?.field !== "metrics" && <p class="quiet-note">{x("metric_not_by_value")}</p>}
      </Group>
      <Group title={x("dimensions")}>
        <div class="ticks">
          {CLOCK_DIMENSIONS.map((dimension) => (
            <Tick
              key={dimension}
              text={x(dimension)}
              isOn={draft.clock.includes(dimension)}
              onChange={() => change({ clock: toggled(CLOCK_DIMENSIONS, draft.clock, dimension) })}
            />
          ))}
        </div>
        <div class="controls">
          {hasTime && (
            <Choice
              label={x("step")}
              value={granularity}
              options={granularities.map((name) => [name, t(`granularity.${name}`)] as const)}
              onChange={setGranularity}
            />
          )}
          <Choice
            label={x("breakdown")}
            value={draft.breakdown ?? "none"}
            options={[
              ["none", x("no_breakdown")],
              ...DIMENSIONS.map((name) => [name, t(`dimension.${name}`)] as const),
            ]}
            onChange={(name) => change({ breakdown: name === "none" ? undefined : name })}
          />
        </div>
        {wrongAt("dimensions")}
        {wrongAt("granularity")}
      </Group>
      <Group title={x("filter")}>
        <FilterFields filter={draft.filter} onChange={(filter: ValueFilter | undefined) => change({ filter })} />
        {wrongAt("filter")}
        <label class="field" for={`${id}-currency`}>
          <span class="choice-label">{x("currency")}</span>
          <input
            id={`${id}-currency`}
            value={currency}
            size={5}
            maxLength={3}
            pattern="[A-Za-z]{3}"
            placeholder="JPY"
            aria-describedby={`${id}-currency-hint`}
            aria-invalid={wrong?.field === "currency"}
            onInput={(event) => setCurrency(event.currentTarget.value.toUpperCase())}
          />
          <small id={`${id}-currency-hint`}>{x("currency_hint")}</small>
        </label>
        {wrongAt("currency")}
      </Group>
      <Group title={x("order")}>
        <div class="controls">
          <OrderChoice exploration={{ ...draft, metrics }} onChange={(order) => change({ order })} />
          <label class="field" for={`${id}-limit`}>
            <span class="choice-label">{x("limit")}</span>
            <input
              id={`${id}-limit`}
              type="number"
              min={1}
              max={LIMIT_ROWS_MAX}
              required
              value={draft.limit}
              aria-invalid={wrong?.field === "limit"}
              onInput={(event) => change({ limit: event.currentTarget.valueAsNumber || 0 })}
            />
          </label>
        </div>
        {wrongAt("order")}
        {wrongAt("limit")}
      </Group>
      <button type="submit" class="primary" disabled={metrics.length === 0}>
        {x("run")}
      </button>
    </form>
  );
}

function Group({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <fieldset>
      <legend>{title}</legend>
      {children}
    </fieldset>
  );
}

interface TickProps {
  readonly text: string;
  readonly isOn: boolean;
  /** Whether it cannot be chosen. */
  readonly isOff?: boolean;
  readonly onChange: () => void;
}

function Tick({ text, isOn, isOff = false, onChange }: TickProps) {
  return (
    <label class="tick">
      <input type="checkbox" checked={isOn} disabled={isOff} onChange={onChange} />
      {text}
    </label>
  );
}

function Wrong({ text }: { readonly text: ComponentChildren }) {
  if (text === undefined) return null;
  return (
    <p class="wrong" role="alert">
      {text}
    </p>
  );
}

/** In the order of all of them, not of the clicks. */
function toggled<T>(all: readonly T[], chosen: readonly T[], one: T): T[] {
  return all.filter((name) => chosen.includes(name) !== (name === one));
}
