import type { HealthAnswer } from "../data/answers.ts";
import type { Known } from "../data/kept-answers.ts";
import { bytes, count, dateAndTime, decimal, duration } from "../text/format.ts";
import { AnswerPanel } from "./answer-panel.tsx";
import { becauseText } from "./because.ts";
import { Fact } from "./fact.tsx";
import { operatorsText as o } from "./operators-text.ts";
import { differing } from "./windows.ts";

export const HEALTH = { path: "/v1/admin/health" };
/** Looked at while something is wrong; calls of it are not logged. */
export const HEALTH_AGE_MS_MAX = 10_000;

/** How the pipeline is at this moment: a verdict, what it rests on, and which parts are not well. */
export function Pipeline({ known: health }: { readonly known: Known<HealthAnswer> }) {
  const verdict = health.answer?.verdict;
  return (
    <AnswerPanel
      title={o("pipeline")}
      question={HEALTH}
      known={health}
      actions={
        verdict !== undefined && (
          <span role="status" class={`state ${verdict === "ok" ? "good" : "bad"}`}>
            {o(`verdict_${verdict}`)}
          </span>
        )
      }
    >
      {(answer) => (
        <>
          <Facts health={answer} />
          <Unwell health={answer} />
        </>
      )}
    </AnswerPanel>
  );
}

const known = <T,>(value: T | null | undefined, text: (value: T) => string): string | null =>
  value === null || value === undefined ? null : text(value);
const noteOf = (text: string | null): string | undefined => text ?? undefined;

function Facts({ health: { parts, over_s } }: { readonly health: HealthAnswer }) {
  const { ingest, log, windows_queue, shards, history, dead_letters, audit, replays } = parts;
  const lately = o("lately", { time: duration(over_s) });
  const waiting = (messages: number | null) => noteOf(known(messages, (value) => o("queued", { count: count(value) })));
  return (
    <dl class="facts">
      <Fact
        name={o("events_a_second")}
        value={known(ingest.events_per_second, decimal)}
        note={noteOf(known(ingest.events, ({ accepted }) => o("counted_of", { count: count(accepted), lately })))}
      />
      <Fact name={o("duplicates")} value={known(ingest.events?.duplicates, count)} note={lately} />
      <Fact name={o("late")} value={known(ingest.events?.late, count)} note={lately} />
      <Fact name={o("rejected")} value={known(ingest.events?.rejected, count)} note={lately} />
      <Fact name={o("log_lag")} value={known(log.worst_age_s, duration)} note={waiting(log.waiting_messages)} />
      <Fact
        name={o("windows_lag")}
        value={known(windows_queue.worst_age_s, duration)}
        note={waiting(windows_queue.waiting_messages)}
      />
      <Fact
        name={o("in_history_through")}
        value={known(history.complete_through, dateAndTime)}
        note={noteOf(known(history.freshness_s, (value) => o("ago", { time: duration(value) })))}
      />
      <Fact
        name={o("oldest_unfinished")}
        value={
          history.verdict === "unknown" ? null : (known(history.oldest_unfinished_window, dateAndTime) ?? o("none"))
        }
      />
      <Fact
        name={o("shards")}
        value={known(shards.shards, (value) =>
          shards.reachable < shards.asked ? `${count(shards.reachable)} / ${count(shards.asked)}` : count(value),
        )}
        note={noteOf(known(shards.bytes_max, (value) => o("fullest", { size: bytes(value) })))}
      />
      <Fact name={o("dead_letters")} value={known(dead_letters.waiting, ({ raw, windows }) => count(raw + windows))} />
      <Fact
        name={o("audit_differences")}
        value={known(audit.windows, (windows) => count(differing(windows)))}
        note={o("last_days")}
      />
      <Fact name={o("replays_running")} value={known(replays.running, count)} />
    </dl>
  );
}

const PARTS = [
  ...(["ingest", "log", "windows_queue", "shards", "history", "directory"] as const),
  ...(["dead_letters", "audit", "replays", "late_windows", "archive", "meters"] as const),
];

/** Which parts are not well, each with why. */
function Unwell({ health: { parts } }: { readonly health: HealthAnswer }) {
  const unwell = PARTS.filter((name) => parts[name].verdict !== "ok");
  if (unwell.length === 0) return <p class="quiet-note">{o("all_well")}</p>;
  return (
    <ul class="unwell">
      {unwell.map((name) => (
        <li key={name}>
          <span class={`state ${parts[name].verdict === "unknown" ? "" : "bad"}`}>
            {o(`verdict_${parts[name].verdict}`)}
          </span>
          <strong>{o(`part_${name}`)}</strong>
          <Why part={parts[name]} />
        </li>
      ))}
    </ul>
  );
}

/** By its code; in the API's words where it has one that this page does not know. What somebody else said is theirs. */
function Why({
  part: { because, reason },
}: {
  readonly part: Pick<HealthAnswer["parts"]["log"], "because" | "reason">;
}) {
  const words = because == null ? undefined : becauseText(because);
  if (words === undefined) return <span lang="en">{reason}</span>;
  const { failure } = because?.values ?? {};
  return (
    <span>
      {words} {failure !== undefined && <small lang="en">{failure}</small>}
    </span>
  );
}
