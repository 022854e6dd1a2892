import { useEffect, useRef } from "preact/hooks";
import { signOut } from "../data/session.ts";
import { t } from "../text/text.ts";
import { KeyForm } from "./key-form.tsx";

/** Over what was shown, which stays: a dialog that only signing in, or out, ends. */
export function SessionEnded() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby="session-ended" onCancel={(event) => event.preventDefault()}>
      <h2 id="session-ended">{t("expired.title")}</h2>
      <p>{t("expired.body")}</p>
      <KeyForm />
      <button type="button" class="quiet" onClick={() => void signOut()}>
        {t("menu.sign_out")}
      </button>
    </dialog>
  );
}
