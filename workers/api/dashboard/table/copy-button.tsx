import { useCopy } from "../data/use-copy.ts";
import { listText } from "./list-text.ts";

/** Copies a text; `of` tells a listener of several such buttons which it is. */
export function CopyButton({ text, of }: { readonly text: string; readonly of: string }) {
  const { outcome, copy } = useCopy();
  return (
    <>
      <button type="button" class="copy" aria-label={`${listText("copy")}: ${of}`} onClick={() => void copy(text)}>
        {listText(outcome ?? "copy")}
      </button>
      <span class="visually-hidden" role="status">
        {outcome && listText(outcome)}
      </span>
    </>
  );
}
