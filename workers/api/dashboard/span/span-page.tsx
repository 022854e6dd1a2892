import type { Merchant } from "../shell/merchant.ts";
export function SpanPage({ merchant }: { readonly merchant: Merchant }) {
  return <p>{merchant.name}</p>;
}
