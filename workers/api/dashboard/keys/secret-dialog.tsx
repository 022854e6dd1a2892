import type { CreatedKey } from "../data/answers.ts";
import { CopyButton } from "../table/copy-button.tsx";
import { Dialog } from "../table/dialog.tsx";
import { keysText as k } from "./keys-text.ts";

/** The one time that a key can be read. */
export function SecretDialog({ made, onClose }: { readonly made: CreatedKey; readonly onClose: () => void }) {
  return (
    <Dialog title={k("secret_title")} closeText={k("secret_done")} onClose={onClose}>
      <p>{k("secret_body")}</p>
      <div class="secret form">
        <code>{made.secret_key}</code>
        <div class="secret-actions">
          <CopyButton text={made.secret_key} of={k("secret_title")} />
        </div>
      </div>
    </Dialog>
  );
}
