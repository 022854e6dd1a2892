import { EXPLORE } from "../text/pages/explore.ts";
import { textOf } from "../text/text.ts";

export const exploreText = textOf(EXPLORE);
