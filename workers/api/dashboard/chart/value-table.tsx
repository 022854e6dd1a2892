import { signal } from "@preact/signals";
import { linkedZoom, view } from "../address/address.ts";
import { Link } from "../shell/link.tsx";
import { t } from "../text/text.ts";
import { AsTable } from "./as-table.tsx";
import type { ChartPoint } from "./plot.ts";
import { type Extent, parseZoom, pointsIn } from "./zoom.ts";

export interface ValueTableProps {
  /** What the line is of. */
  readonly label: string;
  readonly points: readonly ChartPoint[];
  readonly all: Extent;
  readonly nameOf: (at: number) => string;
  readonly text: (value: number | null) => string;
  /** Where the payments of a point are listed. */
  readonly linkOf: (at: number) => string;
}

const isOpen = signal(false);

/** A line in numbers, as far as it is zoomed to. */
export function ValueTable({ label, points, all, nameOf, text, linkOf }: ValueTableProps) {
  const { compare } = view.value;
  const rows = () => {
    const { from, to } = pointsIn(points, parseZoom(linkedZoom.value, all));
    return points.slice(from, to).map((point, at) => ({ ...point, at: from + at }));
  };
  return (
    <AsTable isOpen={isOpen}>
      {() => (
        <table>
          <thead>
            <tr>
              <th scope="col">{t("chart.time")}</th>
              <th scope="col">{label}</th>
              {compare !== "none" && <th scope="col">{t(`compare.${compare}`)}</th>}
            </tr>
          </thead>
          <tbody>
            {rows().map(({ at, atMs, value, base }) => (
              <tr key={atMs}>
                <th scope="row">
                  <Link to={linkOf(at)}>{nameOf(at)}</Link>
                </th>
                <td>{text(value)}</td>
                {compare !== "none" && <td>{text(base)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </AsTable>
  );
}
