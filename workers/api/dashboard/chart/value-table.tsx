import { signal } from "@preact/signals";
import { view } from "../address/address.ts";
import { Link } from "../shell/link.tsx";
import { t } from "../text/text.ts";
import type { ChartPoint } from "./plot.ts";

export interface ValueTableProps {
  /** What the line is of. */
  readonly label: string;
  readonly points: readonly ChartPoint[];
  readonly nameOf: (at: number) => string;
  readonly text: (value: number | null) => string;
  /** Where the payments of a point are listed. */
  readonly linkOf: (at: number) => string;
}

/** Stays as it was left when another span is shown. */
const isOpen = signal(false);

/** The chart in numbers, for whoever would rather read. Rows are made when it is opened. */
export function ValueTable({ label, points, nameOf, text, linkOf }: ValueTableProps) {
  const { compare } = view.value;
  return (
    <details
      class="as-table no-print"
      open={isOpen.value}
      onToggle={(event) => {
        isOpen.value = event.currentTarget.open;
      }}
    >
      <summary>{t("chart.table")}</summary>
      {isOpen.value && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
        <div tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t("chart.time")}</th>
                <th scope="col">{label}</th>
                {compare !== "none" && <th scope="col">{t(`compare.${compare}`)}</th>}
              </tr>
            </thead>
            <tbody>
              {points.map(({ atMs, value, base }, at) => (
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
        </div>
      )}
    </details>
  );
}
