import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { Dialog } from "../table/dialog.tsx";
import { listText } from "../table/list-text.ts";
import { operatorsText as o } from "./operators-text.ts";

export interface EntryDialogProps {
  readonly title: string;
  /** Of a new entry, which is given one; `undefined` for one that has it for good. */
  readonly id: IdInput | undefined;
  readonly name: string;
  readonly onName: (name: string) => void;
  readonly isBusy: boolean;
  /** What is wrong with what was sent. */
  readonly wrong: string | undefined;
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
  const form = useId();
  const submit = (event: Event) => {
    event.preventDefault();
    void onSave();
  };
  return (
    <Dialog
      title={title}
      closeText={listText("cancel")}
      onClose={onClose}
      actions={
        <button type="submit" form={form} class="primary" disabled={isBusy}>
          {o("save")}
        </button>
      }
    >
      <form id={form} class="form" onSubmit={submit}>
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
        {wrong !== undefined && (
          <p class="wrong" role="alert">
            {wrong}
          </p>
        )}
      </form>
    </Dialog>
  );
}
