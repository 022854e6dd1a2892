export const NOTICE_CODES = [
  "late_events_pending",
  "late_events_unknown",
  "before_history",
  "boundaries_moved",
  "base_late_events_pending",
  "base_before_history",
  "base_unavailable",
  "values_in_other",
  "partial",
  "windows_rebuilding",
  "archive_damaged",
  "refunds_of_other_sales",
  "refunds_without_sale",
  "refunds_unread",
  "sales_unread",
] as const;

/** Something a reader of the numbers must know; `code` is stable. */
export interface Notice {
  readonly code: (typeof NOTICE_CODES)[number];
  readonly message: string;
}

export interface Asked {
  /** False when calendar boundaries were moved. */
  readonly exact: boolean;
  /** How many windows wait to be rebuilt; `undefined` while the directory cannot say. */
  readonly lateWindows: number | undefined;
  /** Whether a shard is away. */
  readonly isPartial: boolean;
  /** Whether a shard counts windows of it anew. */
  readonly isRebuilding: boolean;
  /** Whether it begins before history does. */
  readonly startsBefore: boolean;
}

/** What is to be known of the span that is asked for. */
export function noticesOf({ exact, lateWindows, isPartial, isRebuilding, startsBefore }: Asked): Notice[] {
  const notices: Notice[] = [];
  if (isPartial) {
    notices.push({
      code: "partial",
      message:
        "What counts the last day does not answer right now: these are the numbers of history. Windows after complete_through may be missing or lack late events.",
    });
  }
  if (isRebuilding) {
    notices.push({
      code: "windows_rebuilding",
      message:
        "Some windows from complete_through on are being counted anew from the archive: until that is done they are as history last had them, may lack what came since, and are not compared.",
    });
  }
  if (!exact) {
    notices.push({
      code: "boundaries_moved",
      message:
        "In this time zone hours and days do not begin on ten-minute windows; each boundary stands at the nearest one.",
    });
  }
  if (startsBefore) {
    notices.push({
      code: "before_history",
      message: "The span begins before history does: what is older is not kept, and counts as nothing here.",
    });
  }
  if (lateWindows === undefined) {
    notices.push({
      code: "late_events_unknown",
      message: "Whether events that came more than 24 hours late are still to be counted cannot be told right now.",
    });
  } else if (lateWindows > 0) {
    notices.push({
      code: "late_events_pending",
      message: `${lateWindows} windows of this span hold events that came more than 24 hours late and are not in these numbers yet.`,
    });
  }
  return notices;
}

export interface Base {
  /** Whether it cannot be read right now, or not all of it. */
  readonly isAway: boolean;
  /** Whether it begins before history does. */
  readonly startsBefore: boolean;
  readonly lateBaseWindows: number | undefined;
}

/** What is to be known of what a span is compared with. */
export function noticesOfBase({ isAway, startsBefore, lateBaseWindows }: Base): Notice[] {
  const message = "The base cannot be read right now, or not all of it: there is nothing to compare with.";
  if (isAway) return [{ code: "base_unavailable", message }];
  const notices: Notice[] = [];
  if (startsBefore) {
    notices.push({
      code: "base_before_history",
      message: "The base begins before history does: what is older counts as nothing in it.",
    });
  }
  if (lateBaseWindows !== undefined && lateBaseWindows > 0) {
    notices.push({
      code: "base_late_events_pending",
      message: `${lateBaseWindows} windows of the base hold events that came more than 24 hours late and are not in its numbers yet.`,
    });
  }
  return notices;
}

/** `hasOther` where payments by value are asked for, and some are in `other`. */
export function noticeOfOther(hasOther: boolean): Notice[] {
  if (!hasOther) return [];
  const message =
    "More values than are kept: 128 of them are named in each row, and the rest is in other. A value that is not named there, or filtered by, may be among those.";
  return [{ code: "values_in_other", message }];
}
