import type { HealthAnswer } from "../data/answers.ts";
import { count, duration } from "../text/format.ts";
import { OPERATORS } from "../text/pages/operators.ts";
import { operatorsText } from "./operators-text.ts";

type Because = NonNullable<HealthAnswer["parts"]["log"]["because"]>;

/** Why a part is not well, in the page's words; `undefined` for a reason that has none here. */
export function becauseText({ code, values }: Because): string | undefined {
  const name = `because.${code}` as const;
  if (!(name in OPERATORS.en)) return undefined;
  const words = Object.entries(values).map(([key, value]) => [key, valueText(key, value)] as const);
  return operatorsText(name, Object.fromEntries(words));
}

function valueText(key: string, value: number | string): string {
  if (typeof value === "string") return value;
  return key.endsWith("_s") ? duration(value) : count(value);
}
