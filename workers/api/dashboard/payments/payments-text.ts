import { PAYMENTS } from "../text/pages/payments.ts";
import { textOf } from "../text/text.ts";

export const paymentsText = textOf(PAYMENTS);
