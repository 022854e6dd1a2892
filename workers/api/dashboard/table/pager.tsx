import type { Pages } from "../data/use-pages.ts";
import { listText } from "./list-text.ts";

/** Forth and back in a list; not there while all of it is on one page. */
export function Pager({ pages }: { readonly pages: Pages<unknown> }) {
  if (pages.next === undefined && pages.previous === undefined) return null;
  return (
    <nav class="pager no-print" aria-label={listText("pages")}>
      <button type="button" disabled={pages.previous === undefined} onClick={pages.previous}>
        {listText("previous")}
      </button>
      <span role="status">{listText("page", { number: pages.number })}</span>
      <button type="button" disabled={pages.next === undefined} onClick={pages.next}>
        {listText("next")}
      </button>
    </nav>
  );
}
