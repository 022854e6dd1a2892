import { DIMENSIONS } from "../../../../shared/breakdown.ts";
import { Choice } from "../shell/choice.tsx";
import { t } from "../text/text.ts";
import { CLOCK_DIMENSIONS, type Exploration, FIGURE_NAMES } from "./exploration.ts";
import { exploreText as x } from "./explore-text.ts";

export interface OrderChoiceProps {
  readonly exploration: Exploration;
  readonly onChange: (order: string | undefined) => void;
}

/** By one of what is asked for; one that is not any more stays to be seen until another is chosen. */
export function OrderChoice({ exploration: { metrics, clock, breakdown, order }, onChange }: OrderChoiceProps) {
  const by = order?.replace(/^-/, "");
  const names = new Map<string, string>([
    ...[...metrics, ...clock, "currency" as const].map((name) => [name, x(name)] as const),
    ...(breakdown === undefined ? [] : [[breakdown, t(`dimension.${breakdown}`)] as const]),
  ]);
  if (by !== undefined && !names.has(by)) names.set(by, nameOf(by));
  return (
    <>
      <Choice
        label={x("order")}
        isLabelHidden
        value={by ?? ""}
        options={[["", x("order_none")], ...names]}
        onChange={(name) => onChange(name === "" ? undefined : `-${name}`)}
      />
      {by !== undefined && (
        <Choice
          label={x("order")}
          isLabelHidden
          value={order === by ? "asc" : "desc"}
          options={[
            ["desc", x("descending")],
            ["asc", x("ascending")],
          ]}
          onChange={(direction) => onChange(direction === "asc" ? by : `-${by}`)}
        />
      )}
    </>
  );
}

/** An address may have an order that the form knows, and does not offer, or one that nobody knows. */
function nameOf(by: string): string {
  const own = [...FIGURE_NAMES, ...CLOCK_DIMENSIONS].find((name) => name === by);
  const dimension = DIMENSIONS.find((name) => name === by);
  return own !== undefined ? x(own) : dimension !== undefined ? t(`dimension.${dimension}`) : by;
}
