import type { ComponentChildren } from "preact";
import type { PaymentEvent } from "../data/answers.ts";
import { valueName } from "../figures/value-name.ts";
import { CopyButton } from "../table/copy-button.tsx";
import { Dialog } from "../table/dialog.tsx";
import { count, money, shortDate } from "../text/format.ts";
import { t } from "../text/text.ts";
import { signedAmount } from "./payments-table.tsx";
import { paymentsText as p } from "./payments-text.ts";

/** All that is known of one of them; what it does not have is left out. */
export function PaymentDetails({ event, onClose }: { readonly event: PaymentEvent; readonly onClose: () => void }) {
  const { user = {}, merchant = {} } = event;
  const rows: readonly (readonly [name: string, value: ComponentChildren])[] = [
    [p("amount"), <strong key="amount">{money(signedAmount(event), event.currency)}</strong>],
    [p("time"), exactTime(event.occurred_at)],
    [p("received"), exactTime(event.received_at)],
    [t("dimension.payment_method"), valueName("payment_method", event.payment_method)],
    [p("points_used"), event.points_used === 0 ? undefined : count(event.points_used)],
    [p("points_earned"), event.points_earned === 0 ? undefined : count(event.points_earned)],
    [p("refund_of"), event.refund_of && <code>{event.refund_of}</code>],
    [p("customer"), user.id_hash && <code>{user.id_hash}</code>],
    [t("dimension.age_band"), user.age_band],
    [t("dimension.gender"), user.gender && valueName("gender", user.gender)],
    [t("dimension.grade"), user.grade && valueName("grade", user.grade)],
    [t("dimension.country"), user.country && valueName("country", user.country)],
    [t("dimension.device"), user.device && valueName("device", user.device)],
    [t("dimension.location"), merchant.location],
    [p("merchant_grade"), merchant.grade && valueName("grade", merchant.grade)],
    [p("business_type"), merchant.business_type && valueName("grade", merchant.business_type)],
    ...Object.entries(event.attributes ?? {}),
  ];
  return (
    <Dialog title={p(event.type)} onClose={onClose}>
      <p class="event-id">
        <code>{event.event_id}</code> <CopyButton text={event.event_id} of={p("id")} />
      </p>
      <dl class="details">
        {rows.map(
          ([name, value]) =>
            value !== undefined && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
    </Dialog>
  );
}

/** To the second: what a till's receipt is found by. */
const exactTime = (time: string) => `${shortDate(time)}, ${time.slice(11, 19)}`;
