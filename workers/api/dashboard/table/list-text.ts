import { LISTS } from "../text/pages/lists.ts";
import { textOf } from "../text/text.ts";

export const listText = textOf(LISTS);
