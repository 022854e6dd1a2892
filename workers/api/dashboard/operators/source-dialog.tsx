import { useState } from "preact/hooks";
import type { z } from "zod";
import type { sourceSchema } from "../../source-schema.ts";
import { useAction } from "../data/use-action.ts";
import { FailureText } from "../shell/failure-text.tsx";
import { EntryDialog } from "./entry-dialog.tsx";
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
  const save = async () => {
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
    <EntryDialog
      title={source === undefined ? o("source_new") : o("source_change_of", { name: source.name })}
      id={source === undefined ? { value: id, hint: o("id_hint"), onChange: setId } : undefined}
      name={name}
      onName={setName}
      isBusy={isBusy}
      wrong={isMappingWrong ? o("mapping_wrong") : failure && <FailureText failure={failure} />}
      onSave={save}
      onClose={onClose}
    >
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
    </EntryDialog>
  );
}
