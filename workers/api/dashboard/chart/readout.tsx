import type { ComponentChildren } from "preact";
import { view } from "../address/address.ts";
import { Link } from "../shell/link.tsx";
import { t } from "../text/text.ts";
import type { ChartPoint } from "./plot.ts";

export interface ReadoutProps {
  /** What the line is of. */
  readonly label: string;
  readonly points: readonly ChartPoint[];
  /** What is pointed at; the present end where nothing is. */
  readonly at: number | null;
  readonly nameOf: (at: number) => string;
  readonly text: (value: number | null) => string;
  /** Where the payments of a point are listed. */
  readonly linkOf: (at: number) => string;
  readonly note?: (at: number) => ComponentChildren;
}

/** What the chart shows at a point, in numbers; its legend, too. */
export function Readout({ label, points, at, nameOf, text, linkOf, note }: ReadoutProps) {
  const shown = at ?? points.findLastIndex(({ value }) => value !== null);
  const point = points[shown];
  const { compare } = view.value;
  if (point === undefined) return <p class="readout point-readout">&nbsp;</p>;
  return (
    <p class="readout point-readout">
      <span class="readout-time">{nameOf(shown)}</span>
      <span class="legend line">
        {label} <strong>{text(point.value)}</strong>
        {point.isOpen && <small> {t("chart.open")}</small>}
      </span>
      {compare !== "none" && (
        <span class="legend base">
          {t(`compare.${compare}`)} <strong>{text(point.base)}</strong>
        </span>
      )}
      {note?.(shown)}
      <Link class="no-print" to={linkOf(shown)}>
        {t("chart.payments")}
      </Link>
    </p>
  );
}
