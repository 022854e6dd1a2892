import type { SavedFile } from "./csv-file.ts";

/** A browser may begin to read what it saves only after the click. */
const KEPT_MS = 60_000;

/** Hands the browser a file to save. */
export function saveFile({ name, content }: SavedFile): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
