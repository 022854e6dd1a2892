import { useState } from "preact/hooks";
import type { DeadLettersAnswer, RedrivenAnswer } from "../data/answers.ts";
import { useAction } from "../data/use-action.ts";
import type { Pages } from "../data/use-pages.ts";
import { FailureText } from "../shell/failure-text.tsx";
import { Pager } from "../table/pager.tsx";
import { ScrollTable } from "../table/scroll-table.tsx";
import { bytes, count, dateAndTime } from "../text/format.ts";
import { AnswerPanel } from "./answer-panel.tsx";
import { operatorsText as o } from "./operators-text.ts";

export const DEAD_LETTERS_PATH = "/v1/admin/dead-letters?limit=50";

/** Messages that were given up on, and the way back to their queues. */
export function DeadLetters({ pages }: { readonly pages: Pages<DeadLettersAnswer> }) {
  const { isBusy, failure, run } = useAction();
  const [outcome, setOutcome] = useState<RedrivenAnswer>();
  const redrive = async (body: { readonly all: true } | { readonly ids: readonly string[] }) => {
    const answer = await run<RedrivenAnswer>("/v1/admin/dead-letters/redrive", { method: "POST", body });
    setOutcome(answer.ok ? answer.value : undefined);
    pages.refresh();
  };
  const letters = pages.known.answer?.dead_letters ?? [];
  return (
    <AnswerPanel
      title={o("dead_letters")}
      intro={o("dead_intro")}
      question={pages.question}
      known={pages.known}
      actions={
        letters.length > 1 && (
          <button type="button" disabled={isBusy} onClick={() => void redrive({ all: true })}>
            {o("redrive_all")}
          </button>
        )
      }
    >
      {() => (
        <>
          <Outcome outcome={outcome} />
          {failure !== undefined && (
            <p class="wrong" role="alert">
              <FailureText failure={failure} />
            </p>
          )}
          {letters.length === 0 ? (
            <p class="quiet-note">{o("no_dead_letters")}</p>
          ) : (
            <LetterTable letters={letters} isBusy={isBusy} onRedrive={(id) => void redrive({ ids: [id] })} />
          )}
          <Pager pages={pages} />
        </>
      )}
    </AnswerPanel>
  );
}

function Outcome({ outcome }: { readonly outcome: RedrivenAnswer | undefined }) {
  const [failed] = outcome?.failed ?? [];
  return (
    <div role="status">
      {outcome !== undefined && (
        <p class="hint">
          {o("redriven", { count: count(outcome.redriven.length) })}{" "}
          {failed !== undefined && o("redrive_failed", { count: count(outcome.failed.length), reason: failed.reason })}{" "}
          {outcome.more && o("redrive_more")}
        </p>
      )}
    </div>
  );
}

interface LetterTableProps {
  readonly letters: DeadLettersAnswer["dead_letters"];
  readonly isBusy: boolean;
  readonly onRedrive: (id: string) => void;
}

function LetterTable({ letters, isBusy, onRedrive }: LetterTableProps) {
  const columns = [
    { title: o("dead_at") },
    { title: o("queue") },
    { title: o("reason") },
    { title: o("attempts"), isNumber: true, isMinor: true },
    { title: o("size"), isNumber: true, isMinor: true },
    { title: o("actions"), isActions: true },
  ];
  return (
    <ScrollTable caption={o("dead_letters")} columns={columns}>
      {letters.map(({ id, dead_at, queue, reason, attempts, body_bytes }) => (
        <tr key={id}>
          <th scope="row">{dateAndTime(dead_at)}</th>
          <td>{queue}</td>
          <td class="wrap" lang="en">
            {reason}
          </td>
          <td class="number minor">{count(attempts)}</td>
          <td class="number minor">{bytes(body_bytes)}</td>
          <td class="actions">
            <button
              type="button"
              class="quiet"
              disabled={isBusy}
              aria-label={o("redrive_of", { id })}
              onClick={() => onRedrive(id)}
            >
              {o("redrive")}
            </button>
          </td>
        </tr>
      ))}
    </ScrollTable>
  );
}
