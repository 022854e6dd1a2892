import { useState } from "preact/hooks";
import type { BegunReplay, ReplayAnswer } from "../data/answers.ts";
import { known, renew } from "../data/kept-answers.ts";
import { useAction } from "../data/use-action.ts";
import { useAnswer } from "../data/use-answer.ts";
import { FailureText } from "../shell/failure-text.tsx";
import { Dialog } from "../table/dialog.tsx";
import { listText } from "../table/list-text.ts";
import { count, percent } from "../text/format.ts";
import { AnswerPanel } from "./answer-panel.tsx";
import { DifferenceTable, VERDICTS, verdictText } from "./difference-table.tsx";
import { operatorsText as o } from "./operators-text.ts";
import { spanText } from "./replays-part.tsx";
import { differing, lost, toWrite } from "./windows.ts";

export interface ReplayPanelProps {
  readonly id: string;
  readonly onBegun: (id: string) => void;
  readonly onEnded: () => void;
}

const RUNNING_AGE_MS_MAX = 4_000;
/** What has ended says the same for ever. */
const ENDED_AGE_MS_MAX = Number.POSITIVE_INFINITY;

/** What a replay has found so far; of a dry run, the way to write it. */
export function ReplayPanel({ id, onBegun, onEnded }: ReplayPanelProps) {
  const question = { path: `/v1/admin/replays/${id}` };
  const state = known<ReplayAnswer>(question).answer?.state;
  const isOver = state !== undefined && state !== "running";
  const replay = useAnswer<ReplayAnswer>(question, isOver ? ENDED_AGE_MS_MAX : RUNNING_AGE_MS_MAX);
  const { answer } = replay;
  const title =
    answer === undefined ? o("replays") : o(answer.dry_run ? "diff" : "written", { span: spanText(answer) });
  const { isBusy, failure, run } = useAction();
  const [isAsking, setAsking] = useState(false);
  const stop = async () => {
    await run<undefined>(question.path, { method: "DELETE" });
    renew(question);
    onEnded();
  };
  const write = async ({ from, to, merchant }: ReplayAnswer) => {
    const body = { from, to, dry_run: false, ...(merchant === undefined ? {} : { merchant }) };
    const begun = await run<BegunReplay>("/v1/admin/replays", { method: "POST", body });
    setAsking(false);
    if (begun.ok) onBegun(begun.value.id);
  };
  return (
    <AnswerPanel title={title} question={question} known={replay}>
      {(shown) => (
        <>
          <Progress replay={shown} />
          <Found replay={shown} />
          {failure !== undefined && (
            <p class="wrong" role="alert">
              <FailureText failure={failure} />
            </p>
          )}
          <div class="take">
            {shown.state === "running" && (
              <button type="button" disabled={isBusy} onClick={() => void stop()}>
                {o("stop")}
              </button>
            )}
            {shown.dry_run && shown.state === "done" && toWrite(shown.windows) > 0 && (
              <button type="button" class="primary" onClick={() => setAsking(true)}>
                {o("write")}
              </button>
            )}
          </div>
          {isAsking && (
            <Dialog
              title={o("write_title")}
              closeText={listText("cancel")}
              onClose={() => setAsking(false)}
              actions={
                <button type="button" class="primary" disabled={isBusy} onClick={() => void write(shown)}>
                  {o("write")}
                </button>
              }
            >
              <p>{o("write_body", { count: count(toWrite(shown.windows)), span: spanText(shown) })}</p>
              {lost(shown.windows) > 0 && <p>{o("write_short", { count: count(lost(shown.windows)) })}</p>}
            </Dialog>
          )}
        </>
      )}
    </AnswerPanel>
  );
}

function Progress({ replay: { state, progress, failure } }: { readonly replay: ReplayAnswer }) {
  if (state !== "running") return null;
  return (
    <>
      <p class="progress">
        <progress max={1} value={progress} aria-label={o("progress")} /> {percent(progress)}
      </p>
      {failure !== undefined && <p class="hint">{o("retrying", { reason: failure })}</p>}
    </>
  );
}

function Found({ replay }: { readonly replay: ReplayAnswer }) {
  const { windows, events, damaged_objects, differences, state } = replay;
  return (
    <>
      <dl class="facts">
        <div>
          <dt>{o("events")}</dt>
          <dd>{count(events)}</dd>
        </div>
        {VERDICTS.map((verdict) => (
          <div key={verdict}>
            <dt>{verdictText(verdict)}</dt>
            <dd>{count(windows[verdict])}</dd>
          </div>
        ))}
      </dl>
      {damaged_objects.length > 0 && <p class="hint">{o("damaged", { count: count(damaged_objects.length) })}</p>}
      {differences.length > 0 && <DifferenceTable differences={differences} />}
      {differences.length > 0 && differences.length < differing(windows) && (
        <p class="quiet-note">{o("diff_cut", { count: count(differences.length) })}</p>
      )}
      {state === "done" && differing(windows) === 0 && <p class="quiet-note">{o("all_equal")}</p>}
    </>
  );
}
