/** A stretch of the time axis, in seconds as the chart has them. */
export interface Stretch {
  readonly min: number;
  readonly max: number;
}

/** Closer than so many seconds there is nothing more to see. */
const STRETCH_S_MIN = 1_800;

/** Narrower (`factor` < 1) or wider about a point, never beyond all there is. */
export function zoomed({ min, max }: Stretch, factor: number, around: number, all: Stretch): Stretch {
  const width = Math.min(Math.max((max - min) * factor, STRETCH_S_MIN), all.max - all.min);
  const share = max === min ? 0.5 : (around - min) / (max - min);
  return within({ min: around - width * share, max: around + width * (1 - share) }, all);
}

/** Moved by a share of its own width. */
export function panned({ min, max }: Stretch, share: number, all: Stretch): Stretch {
  const by = (max - min) * share;
  return within({ min: min + by, max: max + by }, all);
}

function within({ min, max }: Stretch, all: Stretch): Stretch {
  const width = max - min;
  if (width >= all.max - all.min) return all;
  if (min < all.min) return { min: all.min, max: all.min + width };
  return max > all.max ? { min: all.max - width, max: all.max } : { min, max };
}
