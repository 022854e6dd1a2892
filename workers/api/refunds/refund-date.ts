/** What a refund is dated by: its own moment, or that of the payment it gives back. */
export const REFUND_DATES = ["refund", "sale"] as const;
export type RefundDate = (typeof REFUND_DATES)[number];
