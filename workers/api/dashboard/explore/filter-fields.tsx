import { useState } from "preact/hooks";
import { DIMENSIONS } from "../../../../shared/breakdown.ts";
import { Choice } from "../shell/choice.tsx";
import { t } from "../text/text.ts";
import { type ValueFilter, valuesOf } from "./exploration.ts";
import { exploreText as x } from "./explore-text.ts";

export interface FilterFieldsProps {
  readonly filter: ValueFilter | undefined;
  readonly onChange: (filter: ValueFilter | undefined) => void;
}

/** Payments that have, or have not, some values of one dimension. */
export function FilterFields({ filter, onChange }: FilterFieldsProps) {
  const [text, setText] = useState(filter?.values.join(", ") ?? "");
  return (
    <div class="controls">
      <Choice
        label={x("filter")}
        isLabelHidden
        value={filter?.dimension ?? "none"}
        options={[["none", x("filter_none")], ...DIMENSIONS.map((name) => [name, t(`dimension.${name}`)] as const)]}
        onChange={(dimension) =>
          onChange(
            dimension === "none" ? undefined : { dimension, keeps: filter?.keeps ?? true, values: valuesOf(text) },
          )
        }
      />
      {filter !== undefined && (
        <>
          <Choice
            label={x("filter")}
            isLabelHidden
            value={filter.keeps ? "in" : "not_in"}
            options={[
              ["in", x("filter_is")],
              ["not_in", x("filter_is_not")],
            ]}
            onChange={(kind) => onChange({ ...filter, keeps: kind === "in" })}
          />
          <input
            class="values"
            aria-label={x("filter_values")}
            placeholder={x("filter_values")}
            required
            value={text}
            onInput={(event) => {
              setText(event.currentTarget.value);
              onChange({ ...filter, values: valuesOf(event.currentTarget.value) });
            }}
          />
        </>
      )}
    </div>
  );
}
