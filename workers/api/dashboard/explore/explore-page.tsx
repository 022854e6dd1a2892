import { own, show, view } from "../address/address.ts";
import { askedSpan } from "../address/asked-span.ts";
import { granularitiesFor, granularityFor } from "../address/span.ts";
import type { QueryAnswer } from "../data/answers.ts";
import { refresh } from "../data/kept-answers.ts";
import type { Failure } from "../data/request.ts";
import { useAnswer } from "../data/use-answer.ts";
import { FailurePanel } from "../shell/failure-panel.tsx";
import { FailureText } from "../shell/failure-text.tsx";
import type { Merchant } from "../shell/merchant.ts";
import { SpanPicker } from "../span/span-picker.tsx";
import "../style/explore.css";
import "../style/forms.css";
import "../style/lists.css";
import { t } from "../text/text.ts";
import { bodyOf, explorationOf, fieldOf, ownOf } from "./exploration.ts";
import { ExploreForm } from "./explore-form.tsx";
import { exploreText as x } from "./explore-text.ts";
import { QueryResult } from "./query-result.tsx";

/** An ad-hoc query as a form; what it asks stands in the address. */
export function ExplorePage({ merchant }: { readonly merchant: Merchant }) {
  const exploration = explorationOf(own.value);
  const { span: wished } = view.value;
  // The merchant's own, unless the address says otherwise: amounts of one currency can be put in order.
  const currency = own.value.currencies === "all" ? undefined : (view.value.currency ?? merchant.homeCurrency);
  const span = askedSpan(wished, merchant.zone, Date.now());
  const granularity = granularityFor(span.dates, view.value.granularity);
  const { from, to } = span;
  const body = bodyOf(exploration, { from, to, zone: merchant.zone, granularity, currency });
  const question = { path: `/v1/merchants/${merchant.id}/query`, body };
  const isAsked = exploration.metrics.length > 0;
  const { answer, failure, isLoading } = useAnswer<QueryAnswer>(isAsked ? question : undefined);
  const wrong = fieldFailure(failure);
  return (
    <>
      <div class="page-head">
        <div>
          <h1>{x("title")}</h1>
          <div class="span-choice">
            <SpanPicker dates={span.dates} today={span.today} />
          </div>
          {wrong?.field === "span" && (
            <p class="wrong" role="alert">
              {wrong.text}
            </p>
          )}
        </div>
      </div>
      <ExploreForm
        // What was typed is dropped when the address says otherwise: back and forth in history show what was asked.
        key={JSON.stringify([ownOf({ ...exploration, as: "chart" }), granularity, currency])}
        exploration={exploration}
        granularity={granularity}
        granularities={granularitiesFor(span.dates)}
        currency={currency}
        wrong={wrong}
        onAsk={(asked, change) =>
          show(change, { ...ownOf(asked), currencies: change.currency === undefined ? "all" : undefined })
        }
      />
      {failure !== undefined && wrong === undefined && (
        <FailurePanel failure={failure} onRetry={() => refresh(question)} />
      )}
      {isAsked && failure === undefined ? (
        answer === undefined ? (
          <div class="panel" role="status">
            <span class="visually-hidden">{t("loading")}</span>
            <div class="chart-waiting" />
          </div>
        ) : (
          <QueryResult
            answer={answer}
            isLoading={isLoading}
            exploration={exploration}
            merchant={merchant}
            granularity={granularity}
          />
        )
      ) : (
        failure === undefined && <p class="empty">{x("choose")}</p>
      )}
    </>
  );
}

/** Refusals that only this form can have. */
const EXPLAINED = ["metric_not_by_value", "several_breakdowns", "mixed_currencies"] as const;

/** What is wrong with one part of the form; `undefined` for what is no part's. */
function fieldFailure(failure: Failure | undefined) {
  if (failure?.reason !== "refused") return undefined;
  const field = fieldOf(failure.parameter);
  if (field === undefined) return undefined;
  const known = EXPLAINED.find((code) => code === failure.code);
  const text = known === undefined ? <FailureText failure={failure} isBesideIt /> : x(known);
  return { field, text };
}
