import type { ComponentChildren } from "preact";

export interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
  /** The first that goes where there is no room: it is among the details. */
  readonly isMinor?: boolean;
  /** What can be done with a row: at its end. */
  readonly isActions?: boolean;
}

export interface ScrollTableProps {
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly isLoading?: boolean;
  readonly children: ComponentChildren;
}

/** A table that is wider than a phone scrolls by itself, not the page. Its rows' cells have the classes that `cellClass` gives. */
export function ScrollTable({ caption, columns, isLoading = false, children }: ScrollTableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <div class="scroll-table" tabIndex={0} aria-busy={isLoading}>
      <table>
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.title} scope="col" class={cellClass(column)}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

export function cellClass({ isNumber, isMinor, isActions }: Omit<Column, "title">): string {
  return [isNumber ? "number" : "", isMinor ? "minor" : "", isActions ? "actions" : ""]
    .filter((name) => name !== "")
    .join(" ");
}
