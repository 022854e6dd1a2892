import { useState } from "preact/hooks";
import type { CreatedAlert } from "../data/answers.ts";
import { useAction } from "../data/use-action.ts";
import { Choice } from "../shell/choice.tsx";
import { FailureText } from "../shell/failure-text.tsx";
import { FormDialog } from "../table/form-dialog.tsx";
import { weekdayName } from "../text/format.ts";
import { DAYS, FIRST_DRAFT, KINDS, type RuleDraft, ruleOf } from "./alert-rule.ts";
import { alertsText as a } from "./alerts-text.ts";

export interface NewAlertProps {
  readonly path: string;
  readonly onMade: (alert: CreatedAlert) => void;
  readonly onClose: () => void;
}

export function NewAlert({ path, onMade, onClose }: NewAlertProps) {
  const [name, setName] = useState("");
  const [url, setUrl] = useState("");
  const [draft, setDraft] = useState(FIRST_DRAFT);
  const { isBusy, failure, run } = useAction();
  const create = async () => {
    const answer = await run<CreatedAlert>(path, {
      method: "POST",
      body: { name, rule: ruleOf(draft), webhook: { url } },
    });
    if (answer.ok) onMade(answer.value);
  };
  const change = (part: Partial<RuleDraft>) => setDraft({ ...draft, ...part });
  return (
    <FormDialog
      title={a("create")}
      submitText={a("create")}
      isBusy={isBusy}
      wrong={failure && <FailureText failure={failure} />}
      onSubmit={create}
      onClose={onClose}
    >
      <label class="field">
        {a("name")}
        <input required maxLength={100} value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <Choice
        label={a("kind")}
        value={draft.kind}
        options={KINDS.map((kind) => [kind, a(kind)] as const)}
        onChange={(kind) => change({ kind })}
      />
      {draft.kind === "no_sales" ? (
        <NoSales draft={draft} onChange={change} />
      ) : (
        <BelowBaseline draft={draft} onChange={change} />
      )}
      <label class="field">
        {a("url")}
        <input
          type="url"
          required
          placeholder="https://"
          value={url}
          onInput={(event) => setUrl(event.currentTarget.value)}
        />
        <small>{a("url_hint")}</small>
      </label>
    </FormDialog>
  );
}

interface PartProps {
  readonly draft: RuleDraft;
  readonly onChange: (part: Partial<RuleDraft>) => void;
}

function NoSales({ draft: { minutes, from, to, days }, onChange }: PartProps) {
  const hours = [
    { label: a("open_from"), value: from, change: (time: string) => onChange({ from: time }) },
    { label: a("open_to"), value: to, change: (time: string) => onChange({ to: time }) },
  ];
  return (
    <>
      <label class="field">
        {a("minutes")}
        <input
          type="number"
          required
          min={10}
          max={1_440}
          value={minutes}
          onInput={(event) => onChange({ minutes: event.currentTarget.valueAsNumber || 0 })}
        />
      </label>
      <div class="controls">
        {hours.map(({ label, value, change }) => (
          <label key={label} class="field">
            {label}
            <input type="time" required value={value} onInput={(event) => change(event.currentTarget.value)} />
          </label>
        ))}
      </div>
      <small>{a("open_hint")}</small>
      <fieldset class="ticks days">
        <legend>{a("open_on")}</legend>
        {DAYS.map((day, at) => (
          <label key={day} class="tick">
            <input
              type="checkbox"
              checked={days.includes(day)}
              onChange={() => onChange({ days: DAYS.filter((one) => days.includes(one) !== (one === day)) })}
            />
            {weekdayName(at + 1)}
          </label>
        ))}
      </fieldset>
    </>
  );
}

function BelowBaseline({ draft: { figure, percent }, onChange }: PartProps) {
  return (
    <>
      <Choice
        label={a("figure")}
        value={figure}
        options={[
          ["net", a("net")],
          ["payments", a("payments")],
        ]}
        onChange={(chosen) => onChange({ figure: chosen })}
      />
      <label class="field">
        {a("percent")}
        <input
          type="number"
          required
          min={1}
          max={99}
          value={percent}
          onInput={(event) => onChange({ percent: event.currentTarget.valueAsNumber || 0 })}
        />
      </label>
    </>
  );
}
