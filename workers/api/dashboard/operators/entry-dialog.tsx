import type { ComponentChildren } from "preact";
import { FormDialog } from "../table/form-dialog.tsx";
import { operatorsText as o } from "./operators-text.ts";

export interface EntryDialogProps {
  readonly title: string;
  /** Of a new entry, which is given one; `undefined` for one that has it for good. */
  readonly id: IdInput | undefined;
  readonly name: string;
  readonly onName: (name: string) => void;
  readonly isBusy: boolean;
  /** What is wrong with what was sent. */
  readonly wrong: ComponentChildren;
  readonly onSave: () => Promise<void>;
  readonly onClose: () => void;
  /** The fields beyond id and name. */
  readonly children: ComponentChildren;
}

interface IdInput {
  readonly value: string;
  readonly hint: string;
  readonly onChange: (id: string) => void;
}

/** What operators enter and change: something with an id, which stays, and a name. */
export function EntryDialog(props: EntryDialogProps) {
  const { title, id, name, onName, isBusy, wrong, onSave, onClose, children } = props;
  return (
    <FormDialog title={title} submitText={o("save")} isBusy={isBusy} wrong={wrong} onSubmit={onSave} onClose={onClose}>
      {id !== undefined && (
        <label class="field">
          {o("id")}
          <input
            required
            pattern="[A-Za-z0-9._\-]{1,64}"
            value={id.value}
            onInput={(event) => id.onChange(event.currentTarget.value)}
          />
          <small>{id.hint}</small>
        </label>
      )}
      <label class="field">
        {o("name")}
        <input required maxLength={200} value={name} onInput={(event) => onName(event.currentTarget.value)} />
      </label>
      {children}
    </FormDialog>
  );
}
