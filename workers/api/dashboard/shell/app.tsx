import { useEffect } from "preact/hooks";
import { page } from "../address/address.ts";
import { type Account, resume, session } from "../data/session.ts";
import { PAGE_PATHS } from "../page-paths.ts";
import { PAGES } from "../pages.ts";
import { t } from "../text/text.ts";
import { FailurePanel } from "./failure-panel.tsx";
import { Header } from "./header.tsx";
import { useMerchant } from "./merchant.ts";
import { OfflineBar } from "./offline-bar.tsx";
import { SessionEnded } from "./session-ended.tsx";
import { SignIn } from "./sign-in.tsx";
import { Waiting } from "./waiting.tsx";

export function App() {
  const now = session.value;
  switch (now.is) {
    case "unknown":
      return (
        <main>
          {now.failure === undefined ? (
            <Waiting />
          ) : (
            <FailurePanel failure={now.failure} onRetry={() => void resume()} />
          )}
        </main>
      );
    case "signed_out":
      return <SignIn />;
    case "signed_in":
    case "expired":
      return (
        <>
          <SignedIn account={now.account} />
          {now.is === "expired" && <SessionEnded />}
        </>
      );
    default:
      return now satisfies never;
  }
}

function SignedIn({ account }: { readonly account: Account }) {
  const { merchant, failure, choices, hasMore, hasNone } = useMerchant(account);
  const shown = page.value === undefined ? undefined : PAGES[page.value];
  const title = shown === undefined ? t("no_page.title") : t(shown.title);
  useEffect(() => {
    document.title = merchant === undefined ? "Tally" : `${title} · ${merchant.name} · Tally`;
  }, [title, merchant?.name]);
  useEffect(() => {
    // On a phone the pages' names have no room: the one that is open is scrolled to.
    document.querySelector(".top nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [page.value]);
  return (
    <>
      <a class="skip" href="#numbers">
        {t("nav.skip")}
      </a>
      <Header account={account} merchant={merchant} choices={choices} hasMore={hasMore} />
      <OfflineBar zone={merchant?.zone} />
      <main id="numbers" tabIndex={-1}>
        {shown === undefined ? (
          <NoPage title={title} />
        ) : shown.who === "operator" ? (
          account.kind === "operator" ? (
            <shown.Body />
          ) : (
            <NoPage title={t("no_page.operators")} />
          )
        ) : hasNone ? (
          <p class="empty">{t("no_merchants")}</p>
        ) : merchant !== undefined ? (
          <shown.Body merchant={merchant} key={merchant.id} />
        ) : failure !== undefined ? (
          <FailurePanel failure={failure} onRetry={() => location.reload()} />
        ) : (
          <Waiting />
        )}
      </main>
    </>
  );
}

function NoPage({ title }: { readonly title: string }) {
  return (
    <div class="empty" role="alert">
      <h1>{title}</h1>
      <p>
        <a href={PAGE_PATHS.today}>{t("no_page.back")}</a>
      </p>
    </div>
  );
}
