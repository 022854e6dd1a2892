import { useId, useState } from "preact/hooks";
import type { z } from "zod";
import type { sourceSchema } from "../../source-schema.ts";
import { useAction } from "../data/use-action.ts";
import { failureText } from "../shell/failure-panel.tsx";
import { Dialog } from "../table/dialog.tsx";
import { listText } from "../table/list-text.ts";
import { operatorsText as o } from "./operators-text.ts";
import { mappingOf, merchantsOf } from "./source-form.ts";

type Source = z.output<typeof sourceSchema>;

export interface SourceDialogProps {
  /** `undefined` for a new one. */
  readonly source: Source | undefined;
  readonly onSaved: () => void;
  readonly onClose: () => void;
}

export function SourceDialog({ source, onSaved, onClose }: SourceDialogProps) {
  const [id, setId] = useState(source?.id ?? "");
  const [name, setName] = useState(source?.name ?? "");
  const [merchants, setMerchants] = useState(source?.merchants?.join(", ") ?? "");
  const [mapping, setMapping] = useState(source?.mapping == null ? "" : JSON.stringify(source.mapping, null, 2));
  const [isMappingWrong, setMappingWrong] = useState(false);
  const { isBusy, failure, run } = useAction();
  const form = useId();
  const submit = async (event: Event) => {
    event.preventDefault();
    const parsed = mappingOf(mapping);
    setMappingWrong(!parsed.ok);
    if (!parsed.ok) return;
    const body = { name, merchants: merchantsOf(merchants), mapping: parsed.value };
    const answer =
      source === undefined
        ? await run<Source>("/v1/admin/sources", { method: "POST", body: { id, ...body } })
        : await run<Source>(`/v1/admin/sources/${source.id}`, { method: "PATCH", body });
    if (answer.ok) onSaved();
  };
  return (
    <Dialog
      title={source === undefined ? o("source_new") : o("source_change_of", { name: source.name })}
      closeText={listText("cancel")}
      onClose={onClose}
      actions={
        <button type="submit" form={form} class="primary" disabled={isBusy}>
          {o("save")}
        </button>
      }
    >
      <form id={form} class="form" onSubmit={(event) => void submit(event)}>
        {source === undefined && (
          <label class="field">
            {o("id")}
            <input
              required
              pattern="[A-Za-z0-9._\-]{1,64}"
              value={id}
              onInput={(event) => setId(event.currentTarget.value)}
            />
            <small>{o("id_hint")}</small>
          </label>
        )}
        <label class="field">
          {o("name")}
          <input required maxLength={200} value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <label class="field">
          {o("may_send")}
          <input value={merchants} onInput={(event) => setMerchants(event.currentTarget.value)} />
          <small>{o("may_send_hint")}</small>
        </label>
        <label class="field">
          {o("mapping")}
          <textarea
            spellcheck={false}
            value={mapping}
            aria-invalid={isMappingWrong}
            onInput={(event) => setMapping(event.currentTarget.value)}
          />
          <small>{o("mapping_hint")}</small>
        </label>
        {(isMappingWrong || failure !== undefined) && (
          <p class="wrong" role="alert">
            {isMappingWrong ? o("mapping_wrong") : failure && failureText(failure)}
          </p>
        )}
      </form>
    </Dialog>
  );
}
