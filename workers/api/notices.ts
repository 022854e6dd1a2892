/** Something a reader of the numbers must know; `code` is stable. */
export interface Notice {
  readonly code: "late_events_pending" | "boundaries_moved";
  readonly message: string;
}

/** `exact` is false when calendar boundaries were moved; `lateWindows` counts windows that wait to be rebuilt. */
export function noticesOf(exact: boolean, lateWindows: number): Notice[] {
  const notices: Notice[] = [];
  if (!exact) {
    notices.push({
      code: "boundaries_moved",
      message:
        "In this time zone hours and days do not begin on ten-minute windows; each boundary stands at the nearest one.",
    });
  }
  if (lateWindows > 0) {
    notices.push({
      code: "late_events_pending",
      message: `${lateWindows} windows of this span hold events that came more than 24 hours late and are not in these numbers yet.`,
    });
  }
  return notices;
}
