import { computed } from "@preact/signals";
import { useMemo, useState } from "preact/hooks";
import { own, show, zoom } from "../address/address.ts";
import { parseZoom, pointsIn } from "../chart/zoom.ts";
import type { Granularity, QueryAnswer } from "../data/answers.ts";
import { saveFile } from "../data/save-file.ts";
import { Notices } from "../figures/notices.tsx";
import { Choice } from "../shell/choice.tsx";
import type { Merchant } from "../shell/merchant.ts";
import { bytes, count, milliseconds } from "../text/format.ts";
import { t } from "../text/text.ts";
import type { Exploration } from "./exploration.ts";
import { exploreText as x } from "./explore-text.ts";
import { type Drawn, ResultChart } from "./result-chart.tsx";
import { resultFile } from "./result-file.ts";
import { ResultTable } from "./result-table.tsx";

export interface QueryResultProps {
  readonly answer: QueryAnswer;
  readonly isLoading: boolean;
  readonly exploration: Exploration;
  readonly merchant: Merchant;
  readonly granularity: Granularity;
}

/** What a query found, and what that cost. */
export function QueryResult({ answer, isLoading, exploration, merchant, granularity }: QueryResultProps) {
  const { metrics, as } = exploration;
  const figure = metrics.find((name) => name === own.value.figure) ?? metrics[0] ?? "net";
  const [drawn, setDrawn] = useState<Drawn>({ rows: [] });
  const shown = as === "chart" && drawn.rows.length > 0 ? drawn : { rows: answer.rows };
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
        <Csv answer={answer} exploration={exploration} drawn={shown} merchantId={merchant.id} />
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
          onDrawn={setDrawn}
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

interface CsvProps extends Pick<QueryResultProps, "answer" | "exploration"> {
  readonly drawn: Drawn;
  readonly merchantId: string;
}

/** The rows that are on the screen: all of them, or those of the value that was chosen, as far as its line is zoomed to. */
function Csv({ answer, exploration, drawn: { rows, line }, merchantId }: CsvProps) {
  const answered = useMemo(() => new Set(answer.rows), [answer]);
  const seen = () => {
    if (line === undefined) return rows;
    const { from, to } = pointsIn(line.points, parseZoom(zoom.value, line.all));
    // A line has what is between them, too.
    return rows.slice(from, to).filter((row) => answered.has(row));
  };
  // Drawn anew when it changes, not with each frame of a zoom.
  const isPart = useMemo(() => computed(() => seen().length < answer.rows.length), [answer, rows, line]).value;
  const save = () => saveFile(resultFile(merchantId, answer, exploration, isPart ? seen() : answer.rows));
  return (
    <button type="button" onClick={save}>
      {t(isPart ? "take.csv_part" : "take.csv")}
    </button>
  );
}
