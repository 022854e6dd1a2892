/** Something that is drawn once a frame at most, however often it is asked for: what is drawn more often nobody sees. */
export interface PerFrame {
  /** With the next frame. */
  readonly ask: () => void;
  /** At once, where somebody measures what was drawn. */
  readonly now: () => void;
  readonly stop: () => void;
}

export function perFrame(draw: () => void): PerFrame {
  let asked: number | undefined;
  const stop = () => {
    if (asked !== undefined) cancelAnimationFrame(asked);
    asked = undefined;
  };
  const now = () => {
    stop();
    draw();
  };
  return {
    ask: () => {
      asked ??= requestAnimationFrame(now);
    },
    now,
    stop,
  };
}
