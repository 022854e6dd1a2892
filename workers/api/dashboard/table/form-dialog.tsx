import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { Dialog } from "./dialog.tsx";
import { listText } from "./list-text.ts";

export interface FormDialogProps {
  readonly title: string;
  /** On the button that sends it. */
  readonly submitText: string;
  readonly isBusy: boolean;
  /** What is wrong with what was sent. */
  readonly wrong: ComponentChildren;
  readonly onSubmit: () => Promise<void>;
  readonly onClose: () => void;
  /** The fields. */
  readonly children: ComponentChildren;
}

/** A dialog in which something is entered and sent. */
export function FormDialog({ title, submitText, isBusy, wrong, onSubmit, onClose, children }: FormDialogProps) {
  const form = useId();
  const submit = (event: Event) => {
    event.preventDefault();
    void onSubmit();
  };
  return (
    <Dialog
      title={title}
      closeText={listText("cancel")}
      onClose={onClose}
      actions={
        <button type="submit" form={form} class="primary" disabled={isBusy}>
          {submitText}
        </button>
      }
    >
      <form id={form} class="form" onSubmit={submit}>
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
