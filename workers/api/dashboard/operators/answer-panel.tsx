import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { type Known, type Question, refresh } from "../data/kept-answers.ts";
import { FailurePanel } from "../shell/failure-panel.tsx";
import { t } from "../text/text.ts";

export interface AnswerPanelProps<T> {
  readonly title: string;
  readonly intro?: string;
  readonly question: Question;
  readonly known: Known<T>;
  readonly actions?: ComponentChildren;
  readonly children: (answer: T) => ComponentChildren;
}

/** A panel of one answer: while it is waited for, when it is there, and when it cannot be had. */
export function AnswerPanel<T>({ title, intro, question, known, actions, children }: AnswerPanelProps<T>) {
  const { answer, failure, isLoading } = known;
  const id = useId();
  return (
    <section class="panel" aria-labelledby={id} aria-busy={isLoading}>
      <div class="panel-head">
        <h2 id={id}>{title}</h2>
        {actions}
      </div>
      {intro !== undefined && <p class="quiet-note intro">{intro}</p>}
      {failure !== undefined && <FailurePanel failure={failure} onRetry={() => refresh(question)} />}
      {answer !== undefined ? children(answer) : failure === undefined && <p class="empty">{t("loading")}</p>}
    </section>
  );
}
