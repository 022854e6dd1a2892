import { signal } from "@preact/signals";
import { useMemo, useState } from "preact/hooks";
import { AsTable } from "../chart/as-table.tsx";
import { money, weekdayName } from "../text/format.ts";
import { t } from "../text/text.ts";
import { type Heat, type HeatCell, HOURS, heatPaths, WEEKDAYS } from "./heat.ts";
import { heatFile, type PanelSpan } from "./panel-file.ts";
import { PanelHead } from "./panel-head.tsx";

export interface HeatMapProps {
  readonly heat: Heat;
  readonly span: PanelSpan;
}

const isTableOpen = signal(false);

/** When sales are made: cells that are the darker the more there was, losses in their own colour, and a table of them. */
export function HeatMap({ heat, span }: HeatMapProps) {
  const { currency } = span;
  const [pointed, setPointed] = useState<HeatCell>();
  const text = (weekday: number, hour: number) => {
    const value = heat[weekday - 1]?.[hour] ?? null;
    return money(value === null ? null : Math.round(value), currency);
  };
  const onPointer = (event: PointerEvent & { readonly currentTarget: Element }) => {
    const cell = cellAt(event);
    if (cell.weekday !== pointed?.weekday || cell.hour !== pointed.hour) setPointed(cell);
  };
  return (
    <section class="panel" aria-label={t("heat.title")}>
      <PanelHead title={t("heat.title")} file={() => heatFile(span, heat)}>
        {pointed === undefined
          ? t("heat.caption")
          : t("heat.cell", {
              weekday: weekdayName(pointed.weekday, "long"),
              ...{ from: clock(pointed.hour), to: clock(pointed.hour + 1) },
              value: text(pointed.weekday, pointed.hour),
            })}
      </PanelHead>
      <div class="heat" role="img" aria-label={t("heat.caption")}>
        <div class="heat-hours">
          {HOURS.map((hour) => (
            <span key={hour}>{hour}</span>
          ))}
        </div>
        <div class="heat-days">
          {WEEKDAYS.map((weekday) => (
            <span key={weekday}>{weekdayName(weekday)}</span>
          ))}
        </div>
        <svg
          class="heat-cells"
          viewBox={`0 0 ${HOURS.length} ${WEEKDAYS.length}`}
          preserveAspectRatio="none"
          aria-hidden="true"
          onPointerDown={onPointer}
          onPointerMove={onPointer}
          onPointerLeave={(event) => event.pointerType === "mouse" && setPointed(undefined)}
        >
          <Cells heat={heat} />
          {pointed !== undefined && <rect x={pointed.hour} y={pointed.weekday - 1} width="1" height="1" />}
        </svg>
      </div>
      <AsTable isOpen={isTableOpen}>
        {() => (
          <table>
            <caption class="visually-hidden">{t("heat.caption")}</caption>
            <thead>
              <tr>
                <th scope="col">{t("heat.hour")}</th>
                {WEEKDAYS.map((weekday) => (
                  <th key={weekday} scope="col">
                    {weekdayName(weekday)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {HOURS.map((hour) => (
                <tr key={hour}>
                  <th scope="row">{clock(hour)}</th>
                  {WEEKDAYS.map((weekday) => (
                    <td key={weekday}>{text(weekday, hour)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </AsTable>
    </section>
  );
}

function Cells({ heat }: { readonly heat: Heat }) {
  return useMemo(
    () => (
      <>
        {heatPaths(heat).map(({ percent, path }) => (
          <path
            key={percent}
            class={percent < 0 ? "loss" : undefined}
            d={path}
            style={{ "--heat": String(Math.abs(percent)) }}
          />
        ))}
      </>
    ),
    [heat],
  );
}

const clock = (hour: number) => `${String(hour).padStart(2, "0")}:00`;

function cellAt({ clientX, clientY, currentTarget }: PointerEvent & { readonly currentTarget: Element }): HeatCell {
  const { left, top, width, height } = currentTarget.getBoundingClientRect();
  const at = (share: number, count: number) => Math.min(Math.max(Math.floor(share * count), 0), count - 1);
  return {
    hour: at((clientX - left) / width, HOURS.length),
    weekday: at((clientY - top) / height, WEEKDAYS.length) + 1,
  };
}
