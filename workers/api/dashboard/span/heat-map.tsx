import { useState } from "preact/hooks";
import { money, weekdayName } from "../text/format.ts";
import { t } from "../text/text.ts";
import type { Heat } from "./heat.ts";

export interface HeatMapProps {
  readonly heat: Heat | undefined;
  readonly currency: string;
}

/** When sales are made: a table, whose cells are the darker the more there was. */
export function HeatMap({ heat, currency }: HeatMapProps) {
  const [pointed, setPointed] = useState<string>();
  const largest = Math.max(1, ...(heat ?? []).flat());
  return (
    <section
      class={heat === undefined ? "panel heat-waiting" : "panel"}
      aria-label={t("heat.title")}
      aria-busy={heat === undefined}
    >
      <div class="panel-head">
        <h2>{t("heat.title")}</h2>
        <p class="figure-detail">{pointed ?? t("heat.caption")}</p>
      </div>
      {heat === undefined ? (
        <div class="chart-waiting" />
      ) : (
        <table class="heat" onPointerLeave={(event) => event.pointerType === "mouse" && setPointed(undefined)}>
          <caption class="visually-hidden">{t("heat.caption")}</caption>
          <thead>
            <tr>
              <th scope="col" class="heat-day">
                <span class="visually-hidden">{t("heat.hour")}</span>
              </th>
              {heat[0]?.map((_, hour) => (
                <th key={hour} scope="col">
                  {hour}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {heat.map((hours, day) => (
              <tr key={day}>
                <th scope="row">{weekdayName(day + 1)}</th>
                {hours.map((value, hour) => (
                  <td
                    key={hour}
                    style={{ "--heat": String(Math.round((Math.max(value, 0) / largest) * 100)) }}
                    onPointerEnter={() => setPointed(cellText(day + 1, hour, value, currency))}
                  >
                    <span class="visually-hidden">{money(Math.round(value), currency)}</span>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function cellText(weekday: number, hour: number, value: number, currency: string): string {
  const time = (at: number) => `${String(at).padStart(2, "0")}:00`;
  return t("heat.cell", {
    weekday: weekdayName(weekday, "long"),
    from: time(hour),
    to: time(hour + 1),
    value: money(Math.round(value), currency),
  });
}
