import { useState } from "preact/hooks";
import type { CreatedKey, Key, KeysAnswer, RotatedKey } from "../data/answers.ts";
import { managesKeys, session } from "../data/session.ts";
import { usePages } from "../data/use-pages.ts";
import { FailurePanel } from "../shell/failure-panel.tsx";
import type { Merchant } from "../shell/merchant.ts";
import "../style/forms.css";
import "../style/keys.css";
import "../style/lists.css";
import { Pager } from "../table/pager.tsx";
import { CurlLines } from "./curl-lines.tsx";
import { KeysTable } from "./keys-table.tsx";
import { keysText as k } from "./keys-text.ts";
import { NewKey } from "./new-key.tsx";
import { RevokeDialog } from "./revoke-dialog.tsx";
import { RotateDialog } from "./rotate-dialog.tsx";
import { SecretDialog } from "./secret-dialog.tsx";

type Doing = { readonly what: "create" } | { readonly what: "rotate" | "revoke"; readonly of: Key };

/** The merchant's keys: shown to whoever reads the merchant; made, replaced and ended by who manages them. */
export function KeysPage({ merchant }: { readonly merchant: Merchant }) {
  const path = `/v1/merchants/${merchant.id}/keys`;
  const listPath = `${path}?limit=50`;
  const pages = usePages<KeysAnswer>(listPath);
  const { answer, failure, isLoading } = pages.known;
  const now = session.value;
  const isManager = "account" in now && managesKeys(now.account);
  const [doing, setDoing] = useState<Doing>();
  /** In memory while it is shown, and nowhere else. */
  const [made, setMade] = useState<CreatedKey>();
  const close = () => setDoing(undefined);
  const changed = (key?: CreatedKey) => {
    close();
    setMade(key);
    pages.refresh();
  };
  return (
    <>
      <div class="page-head">
        <div>
          <h1>{k("title")}</h1>
          <p class="quiet-note">
            {k("intro")} {!isManager && k("read_only")}
          </p>
        </div>
        {isManager && (
          <button type="button" class="primary" onClick={() => setDoing({ what: "create" })}>
            {k("create")}
          </button>
        )}
      </div>
      {failure !== undefined && <FailurePanel failure={failure} onRetry={pages.refresh} />}
      <div class="panel" hidden={answer === undefined && failure !== undefined}>
        {answer === undefined ? (
          failure === undefined && <div class="chart-waiting" />
        ) : answer.keys.length === 0 ? (
          <p class="empty">{k("empty")}</p>
        ) : (
          <KeysTable
            keys={answer.keys}
            zone={merchant.zone}
            isLoading={isLoading}
            actions={
              isManager
                ? {
                    onRotate: (of) => setDoing({ what: "rotate", of }),
                    onRevoke: (of) => setDoing({ what: "revoke", of }),
                  }
                : undefined
            }
          />
        )}
        <Pager pages={pages} />
      </div>
      {/* Not before there is what stands above it, which would move it. */}
      {(answer !== undefined || failure !== undefined) && <CurlLines merchant={merchant} />}
      {doing?.what === "create" && <NewKey path={path} onMade={changed} onClose={close} />}
      {doing?.what === "rotate" && (
        <RotateDialog
          path={path}
          of={doing.of}
          onRotated={(rotated: RotatedKey) => changed(rotated.key)}
          onClose={close}
        />
      )}
      {doing?.what === "revoke" && <RevokeDialog path={path} of={doing.of} onRevoked={changed} onClose={close} />}
      {made !== undefined && <SecretDialog made={made} onClose={() => setMade(undefined)} />}
    </>
  );
}
