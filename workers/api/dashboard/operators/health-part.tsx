import { useEffect, useState } from "preact/hooks";
import type { AuditAnswer, DeadLettersAnswer, EpochsAnswer, HealthAnswer } from "../data/answers.ts";
import { useAnswer } from "../data/use-answer.ts";
import { usePages } from "../data/use-pages.ts";
import { ScrollTable } from "../table/scroll-table.tsx";
import { count, dateAndTime, NOTHING } from "../text/format.ts";
import { AnswerPanel } from "./answer-panel.tsx";
import { DEAD_LETTERS_PATH, DeadLetters } from "./dead-letters.tsx";
import { DifferenceTable } from "./difference-table.tsx";
import { Fact } from "./fact.tsx";
import { operatorsText as o } from "./operators-text.ts";
import { HEALTH, HEALTH_AGE_MS_MAX, Pipeline } from "./pipeline.tsx";
import { differing } from "./windows.ts";

const AUDIT = { path: "/v1/admin/audit" };
const TOPOLOGY = { path: "/v1/admin/topology" };
/** A panel that takes longer keeps the others back no more: what hangs is looked for here. */
const PATIENCE_MS = 2_000;

/** Whether archive, shards and history say the same, and what stands in the way of that. All is asked at once; each panel comes when those above it have, and moves none, or after a while. */
export function HealthPart() {
  const health = useAnswer<HealthAnswer>(HEALTH, HEALTH_AGE_MS_MAX);
  const audit = useAnswer<AuditAnswer>(AUDIT);
  const letters = usePages<DeadLettersAnswer>(DEAD_LETTERS_PATH);
  const topology = useAnswer<EpochsAnswer>(TOPOLOGY);
  const panels = [
    [health, <Pipeline key="health" known={health} />],
    [
      audit,
      <AnswerPanel key="audit" title={o("audit")} intro={o("audit_intro")} question={AUDIT} known={audit}>
        {(answer) => <Audit audit={answer} />}
      </AnswerPanel>,
    ],
    [letters.known, <DeadLetters key="letters" pages={letters} />],
    [
      topology,
      <AnswerPanel key="topology" title={o("topology")} question={TOPOLOGY} known={topology}>
        {({ epochs }) => <Epochs epochs={epochs} />}
      </AnswerPanel>,
    ],
  ] as const;
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  const waiting = isLate
    ? -1
    : panels.findIndex(([{ answer, failure }]) => answer === undefined && failure === undefined);
  return <>{panels.slice(0, waiting < 0 ? panels.length : waiting + 1).map(([, panel]) => panel)}</>;
}

function Audit({ audit }: { readonly audit: AuditAnswer }) {
  const { archive, windows, parts, differences } = audit;
  const compared = windows.equal + differing(windows);
  const damaged = parts.flatMap(({ damaged_objects }) => damaged_objects).length;
  return (
    <>
      <dl class="facts">
        <Fact name={o("final_through")} value={dateAndTime(audit.final_through)} />
        <Fact
          name={o("audited_through")}
          value={audit.audited_through === null ? o("not_yet") : dateAndTime(audit.audited_through)}
        />
        <Fact name={o("windows_compared")} value={count(compared)} note={o("last_days")} />
        <Fact name={o("windows_different")} value={count(differing(windows))} note={o("last_days")} />
        <Fact
          name={o("hours_waiting")}
          value={count(archive.hours_waiting)}
          note={
            archive.earliest_waiting === null ? undefined : o("since", { time: dateAndTime(archive.earliest_waiting) })
          }
        />
        <Fact
          name={o("hours_failing")}
          value={archive.hours_failing === 0 ? o("none") : count(archive.hours_failing)}
          note={archive.failure ?? undefined}
          noteLanguage="en"
        />
      </dl>
      {damaged > 0 && <p class="hint">{o("damaged", { count: count(damaged) })}</p>}
      {differences.length === 0 ? (
        <p class="quiet-note">{o("no_differences")}</p>
      ) : (
        <DifferenceTable differences={differences} />
      )}
    </>
  );
}

function Epochs({ epochs }: Pick<EpochsAnswer, "epochs">) {
  const hasPlaced = epochs.some(({ overrides }) => Object.keys(overrides).length > 0);
  const columns = [
    { title: o("epoch") },
    { title: o("from") },
    { title: o("shards"), isNumber: true },
    ...(hasPlaced ? [{ title: o("overrides") }] : []),
  ];
  return (
    <ScrollTable caption={o("topology")} columns={columns}>
      {epochs.map(({ id, from, shards, overrides }) => (
        <tr key={id}>
          <th scope="row">{id}</th>
          <td>{Date.parse(from) === 0 ? NOTHING : dateAndTime(from)}</td>
          <td class="number">{count(shards)}</td>
          {hasPlaced && (
            <td class="wrap">
              {Object.entries(overrides)
                .map(([merchant, shard]) => `${merchant} → ${shard}`)
                .join(", ") || NOTHING}
            </td>
          )}
        </tr>
      ))}
    </ScrollTable>
  );
}
