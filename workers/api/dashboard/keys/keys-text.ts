import { KEYS } from "../text/pages/keys.ts";
import { textOf } from "../text/text.ts";

export const keysText = textOf(KEYS);
