/** A stretch of the time axis, in seconds as the chart has them. */
export interface Stretch {
  readonly min: number;
  readonly max: number;
}

/** All there is of a line. */
export interface Extent extends Stretch {
  /** Closer than this, in seconds, there is nothing more to see. */
  readonly narrowest: number;
}

/** A point by where it stands on the axis, epoch milliseconds. */
type Placed = { readonly atMs: number };

/** In a stretch of so many usual steps of a line there is a point: no day, no month is twice as long as another. */
const STEPS_MIN = 2;

/** `startMs`: where the axis begins, if not with the first point. */
export function extentOf(points: readonly Placed[], startMs = points[0]?.atMs ?? 0): Extent {
  const min = startMs / 1000;
  const max = Math.max(points.at(-1)?.atMs ?? 1, startMs + 1) / 1000;
  const steps = points.slice(1).map(({ atMs }, at) => atMs - (points[at]?.atMs ?? 0));
  const stepMs = steps.sort((a, b) => a - b)[steps.length >> 1] ?? 0;
  return { min, max, narrowest: Math.min((STEPS_MIN * stepMs) / 1000, max - min) };
}

/** Narrower (`factor` < 1) or wider about a point, never beyond all there is. */
export function zoomed({ min, max }: Stretch, factor: number, around: number, all: Extent): Stretch {
  const width = Math.min(Math.max((max - min) * factor, all.narrowest), all.max - all.min);
  const share = max === min ? 0.5 : (around - min) / (max - min);
  return within({ min: around - width * share, max: around + width * (1 - share) }, all);
}

/** Moved by a share of its own width. */
export function panned({ min, max }: Stretch, share: number, all: Extent): Stretch {
  const by = (max - min) * share;
  return within({ min: min + by, max: max + by }, all);
}

/** As an address has it: whole seconds since 1970, `min-max`. */
export function zoomText({ min, max }: Stretch): string {
  return `${Math.round(min)}-${Math.round(max)}`;
}

/** What such a text says, as far as there is a line; `undefined` for all of it, or when it says nothing of it. */
export function parseZoom(text: string | undefined, all: Extent): Stretch | undefined {
  const [, min, max] = /^(\d{1,11})-(\d{1,11})$/.exec(text ?? "") ?? [];
  return partOf({ min: Math.max(Number(min), all.min), max: Math.min(Number(max), all.max) }, all);
}

/** `undefined` for what is as wide as all, and for what is too narrow to be looked at. */
export function partOf(stretch: Stretch, { min, max, narrowest }: Extent): Stretch | undefined {
  const width = stretch.max - stretch.min;
  return width >= narrowest - ROUNDED_S && width < max - min - ROUNDED_S ? stretch : undefined;
}

/** A text has whole seconds. */
const ROUNDED_S = 1;

/** Which points stand in a stretch, `[from, to)`; all of them without one. */
export function pointsIn(points: readonly Placed[], stretch: Stretch | undefined): { from: number; to: number } {
  if (stretch === undefined) return { from: 0, to: points.length };
  const isSeen = ({ atMs }: Placed) => atMs / 1000 >= stretch.min && atMs / 1000 <= stretch.max;
  const from = points.findIndex(isSeen);
  return from < 0 ? { from: 0, to: 0 } : { from, to: points.findLastIndex(isSeen) + 1 };
}

function within({ min, max }: Stretch, all: Stretch): Stretch {
  const width = max - min;
  if (width >= all.max - all.min) return all;
  if (min < all.min) return { min: all.min, max: all.min + width };
  return max > all.max ? { min: all.max - width, max: all.max } : { min, max };
}
