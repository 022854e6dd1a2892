import { useId, useState } from "preact/hooks";
import type { Failure } from "../data/request.ts";
import { signIn } from "../data/session.ts";
import { t } from "../text/text.ts";
import { FailureText } from "./failure-text.tsx";

/** Exchanges a key for a session; the field is emptied by going away. */
export function KeyForm() {
  const [key, setKey] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const id = useId();
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setFailure(await signIn(key));
    setBusy(false);
  };
  return (
    <form class="key-form" onSubmit={(event) => void submit(event)}>
      <label for={id}>{t("sign_in.key")}</label>
      <input
        id={id}
        type="password"
        autocomplete="current-password"
        spellcheck={false}
        required
        value={key}
        aria-invalid={failure !== undefined}
        aria-describedby={failure === undefined ? undefined : `${id}-failure`}
        onInput={(event) => setKey(event.currentTarget.value)}
      />
      {failure !== undefined && (
        <p id={`${id}-failure`} class="wrong" role="alert">
          {failure.reason === "signed_out" ? t("sign_in.wrong") : <FailureText failure={failure} />}
        </p>
      )}
      <button type="submit" class="primary" disabled={isBusy}>
        {isBusy ? t("sign_in.busy") : t("sign_in.submit")}
      </button>
    </form>
  );
}
