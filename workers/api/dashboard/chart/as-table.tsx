import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { t } from "../text/text.ts";

export interface AsTableProps {
  /** Stays as it was left when another span is shown. */
  readonly isOpen: Signal<boolean>;
  readonly children: () => ComponentChildren;
}

/** A picture in numbers, for whoever would rather read. Its table is made when it is opened. */
export function AsTable({ isOpen, children }: AsTableProps) {
  return (
    <details
      class="as-table no-print"
      open={isOpen.value}
      onToggle={(event) => {
        isOpen.value = event.currentTarget.open;
      }}
    >
      <summary>{t("chart.table")}</summary>
      {isOpen.value && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
        <div tabIndex={0}>{children()}</div>
      )}
    </details>
  );
}
