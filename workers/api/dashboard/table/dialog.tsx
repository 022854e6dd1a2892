import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { listText } from "./list-text.ts";

export interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  /** Beside the button that closes it. */
  readonly actions?: ComponentChildren;
  readonly closeText?: string;
  readonly children: ComponentChildren;
}

/** Over the page while it is rendered; Escape closes it, and the focus goes back to where it was. */
export function Dialog({ title, onClose, actions, closeText = listText("close"), children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{title}</h2>
      {children}
      <div class="dialog-actions">
        <button type="button" onClick={() => dialog.current?.close()}>
          {closeText}
        </button>
        {actions}
      </div>
    </dialog>
  );
}
