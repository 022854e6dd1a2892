import type { Pages } from "../data/use-pages.ts";
import { listText } from "./list-text.ts";

/** Forth and back in a list; not there while all of it is on one page. A button that leads nowhere keeps the focus: on the last page it would be lost. */
export function Pager({ pages }: { readonly pages: Pages<unknown> }) {
  const { previous, next, number, isPausing } = pages;
  if (next === undefined && number === 1 && !isPausing) return null;
  return (
    <nav class="pager no-print" aria-label={listText("pages")}>
      <button type="button" aria-disabled={previous === undefined} onClick={previous}>
        {listText("previous")}
      </button>
      <span role="status">{listText("page", { number })}</span>
      <button type="button" aria-disabled={next === undefined} onClick={next}>
        {listText("next")}
      </button>
    </nav>
  );
}
