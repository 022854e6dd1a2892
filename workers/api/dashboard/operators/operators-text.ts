import { OPERATORS } from "../text/pages/operators.ts";
import { textOf } from "../text/text.ts";

export const operatorsText = textOf(OPERATORS);
