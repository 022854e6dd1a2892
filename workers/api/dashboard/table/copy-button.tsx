import { useState } from "preact/hooks";
import { listText } from "./list-text.ts";

const COPIED_MS = 2_500;

/** Copies a text; `of` tells a listener of several such buttons which it is. */
export function CopyButton({ text, of }: { readonly text: string; readonly of: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), COPIED_MS);
  };
  return (
    <>
      <button type="button" class="copy" aria-label={`${listText("copy")}: ${of}`} onClick={() => void copy()}>
        {isCopied ? listText("copied") : listText("copy")}
      </button>
      <span class="visually-hidden" role="status">
        {isCopied ? listText("copied") : ""}
      </span>
    </>
  );
}
