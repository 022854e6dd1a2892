import { useState } from "preact/hooks";
import { show, view } from "../address/address.ts";
import { type CivilDate, isCivilDate } from "../address/civil-date.ts";
import { type Dates, PRESETS, type Span } from "../address/span.ts";
import { Popover } from "../shell/popover.tsx";
import { dateRange } from "../text/format.ts";
import { t } from "../text/text.ts";
import { Calendar } from "./calendar.tsx";

export interface SpanPickerProps {
  readonly dates: Dates;
  readonly today: CivilDate;
}

/** Which span: one that moves with the calendar, or dates. */
export function SpanPicker({ dates, today }: SpanPickerProps) {
  const { span } = view.value;
  const range = dateRange(dates.from, dates.last);
  const name = typeof span === "string" ? `${t(`span.${span}`)}: ` : "";
  const button = (
    <span>
      {name}
      <span class="in-one-line">{range} ▾</span>
    </span>
  );
  return (
    <Popover class="span-picker" label={`${t("span.label")}: ${name}${range}`} button={button}>
      {(close) => (
        <Picker
          dates={dates}
          today={today}
          onChoose={(chosen) => {
            show({ span: chosen, granularity: undefined });
            close();
          }}
        />
      )}
    </Popover>
  );
}

function Picker({ dates, today, onChoose }: SpanPickerProps & { readonly onChoose: (span: Span) => void }) {
  const [from, setFrom] = useState(dates.from);
  const [last, setLast] = useState(dates.last);
  const isRange = isCivilDate(from) && isCivilDate(last) && from <= last;
  const submit = (event: Event) => {
    event.preventDefault();
    if (isRange) onChoose({ from, last });
  };
  return (
    <div class="picker">
      <div class="picker-presets">
        {PRESETS.map((preset) => (
          <button
            key={preset}
            type="button"
            class="quiet"
            aria-pressed={view.value.span === preset}
            onClick={() => onChoose(preset)}
          >
            {t(`span.${preset}`)}
          </button>
        ))}
      </div>
      <form onSubmit={submit}>
        <Calendar
          from={from}
          last={last}
          today={today}
          onRange={(dates) => {
            setFrom(dates.from);
            setLast(dates.last);
          }}
        />
        <div class="picker-dates">
          <DateField label={t("span.from")} value={from} max={today} onChange={setFrom} />
          <DateField label={t("span.to")} value={last} min={from} max={today} onChange={setLast} />
          <button type="submit" class="primary" disabled={!isRange}>
            {t("span.apply")}
          </button>
        </div>
      </form>
    </div>
  );
}

interface DateFieldProps {
  readonly label: string;
  readonly value: string;
  readonly min?: string;
  readonly max?: string;
  readonly onChange: (date: string) => void;
}

function DateField({ label, onChange, ...range }: DateFieldProps) {
  return (
    <label>
      {label}
      <input type="date" required {...range} onInput={(event) => onChange(event.currentTarget.value)} />
    </label>
  );
}
