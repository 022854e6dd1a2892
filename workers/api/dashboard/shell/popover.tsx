import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";

export interface PopoverProps {
  readonly label: string;
  /** On the button; the label says what it is. */
  readonly button: ComponentChildren;
  readonly class?: string;
  /** `close` takes the focus back to the button. */
  readonly children: ComponentChildren | ((close: () => void) => ComponentChildren);
}

/** A button and what it opens below itself. Escape, a click elsewhere, and moving the focus away close it. */
export function Popover({ label, button, class: className = "", children }: PopoverProps) {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const root = useRef<HTMLDivElement>(null);
  const close = () => {
    setOpen(false);
    root.current?.querySelector("button")?.focus();
  };
  useEffect(() => {
    if (!isOpen) return;
    const onPointer = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Escape") close();
    };
    document.addEventListener("pointerdown", onPointer);
    document.addEventListener("keydown", onKey);
    return () => {
      document.removeEventListener("pointerdown", onPointer);
      document.removeEventListener("keydown", onKey);
    };
  }, [isOpen]);
  const onFocusOut = ({ relatedTarget }: FocusEvent) => {
    if (relatedTarget instanceof Node && !root.current?.contains(relatedTarget)) setOpen(false);
  };
  return (
    <div ref={root} class={`popover ${className}`} onFocusOut={onFocusOut}>
      <button
        type="button"
        aria-expanded={isOpen}
        aria-controls={id}
        aria-label={label}
        title={label}
        onClick={() => setOpen(!isOpen)}
      >
        {button}
      </button>
      <div id={id} class="popover-body" hidden={!isOpen}>
        {isOpen && (typeof children === "function" ? children(close) : children)}
      </div>
    </div>
  );
}
