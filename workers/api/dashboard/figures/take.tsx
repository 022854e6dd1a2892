import { computed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { linkToCopy, zoom } from "../address/address.ts";
import type { ChartPoint } from "../chart/plot.ts";
import { type Extent, parseZoom, pointsIn } from "../chart/zoom.ts";
import type { Bucket } from "../data/answers.ts";
import { saveFile } from "../data/save-file.ts";
import { useCopy } from "../data/use-copy.ts";
import type { Merchant } from "../shell/merchant.ts";
import { dateAndTime } from "../text/format.ts";
import { t } from "../text/text.ts";
import { type LineSpan, lineFile } from "./line-file.ts";

export interface TakeProps {
  readonly merchant: Merchant;
  /** What the line is of, bucket by bucket; those to come have no line in a file. */
  readonly span: LineSpan;
  readonly buckets: readonly Bucket[];
  /** Where each of them stands. */
  readonly points: readonly Pick<ChartPoint, "atMs">[];
  readonly all: Extent;
  readonly asOf: string | undefined;
  /** The path of the view with its dates, which a preset would move. */
  readonly path: string;
}

/** To take away what is shown: as a file, on paper, as a link. What the line is zoomed to is what is shown of it. */
export function Take({ merchant, span, buckets, points, all, asOf, path }: TakeProps) {
  const { outcome, copy } = useCopy();
  const save = () => {
    const { from, to } = pointsIn(points, parseZoom(zoom.value, all));
    saveFile(lineFile(span, buckets.slice(from, to)));
  };
  return (
    <>
      <div class="take no-print">
        <button type="button" onClick={save}>
          <FileText all={all} />
        </button>
        <button type="button" onClick={() => print()}>
          {t("take.print")}
        </button>
        <button type="button" onClick={() => void copy(linkToCopy(path))}>
          {t("take.link")}
        </button>
        <span role="status">{outcome && t(`take.${outcome}`)}</span>
      </div>
      {asOf !== undefined && (
        <p class="print-only">
          {t("print.made", { merchant: merchant.name, time: `${dateAndTime(asOf)} ${merchant.zone}` })}
        </p>
      )}
    </>
  );
}

/** Drawn anew when it changes, not with each frame of a zoom. */
function FileText({ all }: { readonly all: Extent }) {
  const isPart = useMemo(() => computed(() => parseZoom(zoom.value, all) !== undefined), [all]);
  return <>{t(isPart.value ? "take.csv_part" : "take.csv")}</>;
}
