import { csvFileName } from "../../csv.ts";
import { own, show } from "../address/address.ts";
import type { Granularity, QueryAnswer } from "../data/answers.ts";
import type { Question } from "../data/kept-answers.ts";
import { saveFile } from "../data/save-file.ts";
import { useAction } from "../data/use-action.ts";
import { Notices } from "../figures/notices.tsx";
import { Choice } from "../shell/choice.tsx";
import { FailureText } from "../shell/failure-text.tsx";
import type { Merchant } from "../shell/merchant.ts";
import { bytes, count, milliseconds } from "../text/format.ts";
import type { Exploration } from "./exploration.ts";
import { exploreText as x } from "./explore-text.ts";
import { ResultChart } from "./result-chart.tsx";
import { ResultTable } from "./result-table.tsx";

export interface QueryResultProps {
  readonly answer: QueryAnswer;
  readonly isLoading: boolean;
  readonly exploration: Exploration;
  readonly question: Question;
  readonly merchant: Merchant;
  readonly granularity: Granularity;
}

/** What a query found, and what that cost. */
export function QueryResult({ answer, isLoading, exploration, question, merchant, granularity }: QueryResultProps) {
  const { metrics, as } = exploration;
  const figure = metrics.find((name) => name === own.value.figure) ?? metrics[0] ?? "net";
  return (
    <section class="panel result" aria-label={x("title")} aria-busy={isLoading}>
      <div class="panel-head no-print">
        <div class="controls">
          <Choice
            label={x("shown_as")}
            value={as}
            options={[
              ["chart", x("as_chart")],
              ["table", x("as_table")],
            ]}
            onChange={(shown) => show({}, { as: shown === "table" ? shown : undefined })}
          />
          {as === "chart" && metrics.length > 1 && (
            <Choice
              label={x("figure_shown")}
              value={figure}
              options={metrics.map((name) => [name, x(name)] as const)}
              onChange={(chosen) => show({}, { figure: chosen })}
            />
          )}
        </div>
        <Csv question={question} name={csvFileName("query", merchant.id, answer.from, answer.to)} />
      </div>
      {answer.rows.length === 0 ? (
        <p class="empty">{x("empty")}</p>
      ) : as === "chart" ? (
        <ResultChart
          answer={answer}
          exploration={exploration}
          figure={figure}
          zone={merchant.zone}
          granularity={granularity}
        />
      ) : (
        <ResultTable answer={answer} exploration={exploration} granularity={granularity} />
      )}
      <Notices notices={answer.notices} />
      <p class="quiet-note">
        {answer.truncated
          ? x("rows_of", { count: count(answer.rows.length), all: count(answer.rows_found) })
          : x("rows", { count: count(answer.rows.length) })}
        {" · "}
        {x("cost", {
          rows: count(answer.cost.rows_read),
          bytes: bytes(answer.cost.bytes_read),
          time: milliseconds(answer.cost.elapsed_ms),
        })}
      </p>
    </section>
  );
}

/** A query is posted, which no link does: so it is asked for here, and then saved. */
function Csv({ question: { path, body }, name }: { readonly question: Question; readonly name: string }) {
  const { isBusy, failure, run } = useAction();
  const save = async () => {
    const answer = await run<Blob>(`${path}?format=csv&bom=true`, { method: "POST", body, file: "text/csv" });
    if (answer.ok) saveFile({ name, content: answer.value });
  };
  return (
    <>
      <button type="button" disabled={isBusy} onClick={() => void save()}>
        {x("csv")}
      </button>
      {failure !== undefined && (
        <p class="wrong" role="alert">
          <FailureText failure={failure} />
        </p>
      )}
    </>
  );
}
