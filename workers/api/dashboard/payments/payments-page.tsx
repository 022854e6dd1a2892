import { useState } from "preact/hooks";
import { own, show, view } from "../address/address.ts";
import { askedSpan } from "../address/asked-span.ts";
import type { EventsAnswer, PaymentEvent } from "../data/answers.ts";
import { usePages } from "../data/use-pages.ts";
import { Notices } from "../figures/notices.tsx";
import { FailurePanel } from "../shell/failure-panel.tsx";
import type { Merchant } from "../shell/merchant.ts";
import { SpanPicker } from "../span/span-picker.tsx";
import "../style/forms.css";
import "../style/lists.css";
import { Pager } from "../table/pager.tsx";
import { clockTime, dateAndTime } from "../text/format.ts";
import { t } from "../text/text.ts";
import { PaymentDetails } from "./payment-details.tsx";
import { filterOf, paymentsCsvPath, paymentsPath } from "./payments-filter.ts";
import { PaymentsFilters } from "./payments-filters.tsx";
import { PaymentsTable } from "./payments-table.tsx";
import { paymentsText as p } from "./payments-text.ts";

/** The payments and refunds behind a number. */
export function PaymentsPage({ merchant }: { readonly merchant: Merchant }) {
  const [chosen, setChosen] = useState<PaymentEvent>();
  const span = askedSpan(view.value.span, merchant.zone, Date.now());
  const filter = filterOf(own.value);
  const wish = { ...span, merchantId: merchant.id, zone: merchant.zone, currency: view.value.currency, filter };
  const path = paymentsPath(wish);
  const pages = usePages<EventsAnswer>(path);
  const { answer, failure, isLoading } = pages.known;
  return (
    <>
      <div class="page-head">
        <div>
          <h1>{p("title")}</h1>
          <div class="span-choice">
            <SpanPicker dates={span.dates} today={span.today} />
          </div>
          <p class="freshness" role="status">
            {answer === undefined
              ? failure === undefined && t("loading")
              : p("through", { time: dateAndTime(answer.complete_through) })}
          </p>
        </div>
        <a class="button no-print" download href={paymentsCsvPath(wish)}>
          {p("csv")}
        </a>
      </div>
      <PaymentsFilters merchant={merchant} span={span} filter={filter} />
      {filter.between !== undefined && (
        <p class="hint between">
          {p("between", { from: dateAndTime(filter.between.since), to: endText(filter.between) })}
          <button type="button" class="quiet" onClick={() => show({}, { since: undefined, until: undefined })}>
            {p("whole_span")}
          </button>
        </p>
      )}
      {failure !== undefined && <FailurePanel failure={failure} onRetry={pages.refresh} />}
      {answer !== undefined && <Notices notices={answer.notices} />}
      <div class="panel" hidden={answer === undefined && failure !== undefined}>
        {answer === undefined ? (
          <div class="chart-waiting" />
        ) : answer.events.length === 0 ? (
          <div class="empty">
            <p>{emptyText(answer)}</p>
          </div>
        ) : (
          <PaymentsTable events={answer.events} isLoading={isLoading} onChoose={setChosen} />
        )}
        <Pager pages={pages} />
      </div>
      {/* Not before there is what stands above it, which would move it. */}
      {answer !== undefined && <p class="quiet-note">{p("hash_note")}</p>}
      {chosen !== undefined && <PaymentDetails event={chosen} onClose={() => setChosen(undefined)} />}
    </>
  );
}

function emptyText({ next_cursor, next_after_s: seconds }: EventsAnswer): string {
  if (next_cursor === null) return p("empty");
  return seconds === 0 ? p("empty_so_far") : p("empty_in_time", { seconds });
}

function endText({ since, until }: { readonly since: string; readonly until: string }): string {
  return since.slice(0, 10) === until.slice(0, 10) ? clockTime(until) : dateAndTime(until);
}
