import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
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
  // As wide as what is pointed at may be: nothing beside it moves when another point is.
  const nameRoom = roomFor([nameOf(0), nameOf(points.length - 1)]);
  const valueRoom = useMemo(() => roomFor(extremesOf(points).map(text)), [points, label]);
  if (point === undefined) return <p class="readout point-readout">&nbsp;</p>;
  return (
    <p class="readout point-readout">
      <span class="readout-time" style={{ minWidth: nameRoom }}>
        {nameOf(shown)}
      </span>
      <span class="legend line">
        {label} <strong style={{ minWidth: valueRoom }}>{text(point.value)}</strong>
      </span>
      {compare !== "none" && (
        <span class="legend base">
          {t(`compare.${compare}`)} <strong style={{ minWidth: valueRoom }}>{text(point.base)}</strong>
        </span>
      )}
      {point.isOpen && <small class="open">{t("chart.open")}</small>}
      {note?.(shown)}
      <Link class="no-print" to={linkOf(shown)}>
        {t("chart.payments")}
      </Link>
    </p>
  );
}

/** The longest of them are among these, as they are written. */
function extremesOf(points: readonly ChartPoint[]): readonly (number | null)[] {
  let [least, most]: [number | null, number | null] = [null, null];
  for (const value of points.flatMap((point) => [point.value, point.base])) {
    if (value === null) continue;
    if (least === null || value < least) least = value;
    if (most === null || value > most) most = value;
  }
  return [least, most];
}

/** Signs of the East are wider than a digit. */
const WIDE = /[\u2e80-\uffef]/gu;

function roomFor(texts: readonly string[]): string {
  return `${Math.max(...texts.map((text) => text.length + (text.match(WIDE)?.length ?? 0) * 0.7))}ch`;
}
