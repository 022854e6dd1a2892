import { ALERTS } from "../text/pages/alerts.ts";
import { textOf } from "../text/text.ts";

export const alertsText = textOf(ALERTS);
