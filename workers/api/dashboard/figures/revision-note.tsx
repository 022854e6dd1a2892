import type { Bucket, Measure } from "../data/answers.ts";
import type { Merchant } from "../shell/merchant.ts";
import { dateAndTime, timeIn } from "../text/format.ts";
import { t } from "../text/text.ts";
import { useRevisedByLate } from "./late-events.ts";
import { measureText } from "./measure-text.ts";
import { isRevised, type Marks, type Revisions, revisedBy } from "./revisions.ts";

export interface RevisionNoteProps {
  readonly bucket: Bucket | undefined;
  readonly revisions: Revisions;
  /** Whether the archive is asked by how much: of what is small, or an exception. */
  readonly isLookedInto: boolean;
  readonly measure: Measure;
  readonly currency: string;
  readonly merchant: Merchant;
}

/** That a bucket was revised, when, and by how much: as this page has seen it, or as the archive has what came late. */
export function RevisionNote({ bucket, revisions, isLookedInto, measure, currency, merchant }: RevisionNoteProps) {
  const seen = bucket === undefined ? undefined : revisions.get(bucket.start);
  const isShown = bucket !== undefined && (isRevised(bucket) || seen !== undefined);
  const asked = isShown && seen === undefined && isLookedInto ? bucket : undefined;
  const byLate = useRevisedByLate(merchant.id, currency, measure, asked) ?? 0;
  if (!isShown) return null;
  const time = dateAndTime(timeIn(merchant.zone, seen?.atMs ?? bucket.revision));
  const by = seen === undefined ? byLate : revisedBy(seen, measure);
  return (
    <span class="revised">
      {by === 0
        ? t("chart.revised", { time })
        : t("chart.revised_by", { time, amount: measureText(measure, by, currency, { signed: true }) })}
    </span>
  );
}

/** That so much was revised that no mark says where. */
export function revisedNotice({ unmarked }: Marks, zone: string): string[] {
  if (unmarked === undefined) return [];
  const { count, of, lastMs } = unmarked;
  return [t("notice.revised", { count, all: of, time: dateAndTime(timeIn(zone, lastMs)) })];
}
