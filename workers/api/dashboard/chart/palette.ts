import { theme } from "../text/preferences.ts";

/** What a canvas is drawn with, as the page's style has it (style/colours.css). */
export interface Palette {
  readonly line: string;
  readonly fill: string;
  readonly base: string;
  readonly grid: string;
  readonly text: string;
  readonly mark: string;
  readonly ground: string;
}

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name);
  return {
    line: colour("--line"),
    fill: colour("--line-fill"),
    base: colour("--base-line"),
    grid: colour("--grid-line"),
    text: colour("--text-quiet"),
    mark: colour("--mark"),
    ground: colour("--surface"),
  };
}

/** Tells when colours change: by the page's switch, the system, or paper. */
export function onPaletteChange(listener: () => void): () => void {
  const queries = ["(prefers-color-scheme: dark)", "print"].map((query) => matchMedia(query));
  for (const query of queries) query.addEventListener("change", listener);
  const leave = theme.subscribe(() => queueMicrotask(listener));
  return () => {
    leave();
    for (const query of queries) query.removeEventListener("change", listener);
  };
}
