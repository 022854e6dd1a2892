import type { ComponentChildren } from "preact";
import type { SavedFile } from "../data/csv-file.ts";
import { saveFile } from "../data/save-file.ts";
import { t } from "../text/text.ts";

export interface PanelHeadProps {
  readonly title: string;
  /** What the panel shows, as a file; `undefined` where it shows nothing. */
  readonly file: (() => SavedFile) | undefined;
  /** What is pointed at, or what the picture is of. */
  readonly children?: ComponentChildren;
}

/** A panel's title, with a way to take away what it shows. */
export function PanelHead({ title, file, children }: PanelHeadProps) {
  return (
    <div class="panel-head">
      <h2>{title}</h2>
      {children !== undefined && <p class="figure-detail">{children}</p>}
      {file !== undefined && (
        <button
          type="button"
          class="quiet panel-csv no-print"
          aria-label={t("panel.csv", { title })}
          onClick={() => saveFile(file())}
        >
          {t("take.csv")}
        </button>
      )}
    </div>
  );
}
