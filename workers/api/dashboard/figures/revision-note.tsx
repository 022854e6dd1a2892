import type { Bucket, Measure } from "../data/answers.ts";
import { dateAndTime, timeIn } from "../text/format.ts";
import { t } from "../text/text.ts";
import { measureText } from "./measure-text.ts";
import { isRevised, type Revisions, revisedBy } from "./revisions.ts";

export interface RevisionNoteProps {
  readonly bucket: Bucket | undefined;
  readonly revisions: Revisions;
  readonly measure: Measure;
  readonly currency: string;
  readonly zone: string;
}

/** That a bucket was revised, and when; by how much, if that was while the page looked on. */
export function RevisionNote({ bucket, revisions, measure, currency, zone }: RevisionNoteProps) {
  if (bucket === undefined || !(isRevised(bucket) || revisions.has(bucket.start))) return null;
  const seen = revisions.get(bucket.start);
  const time = dateAndTime(timeIn(zone, seen?.atMs ?? bucket.revision));
  const by = seen === undefined ? 0 : revisedBy(seen, measure);
  return (
    <span class="revised">
      {by === 0
        ? t("chart.revised", { time })
        : t("chart.revised_by", { time, amount: measureText(measure, by, currency, { signed: true }) })}
    </span>
  );
}
