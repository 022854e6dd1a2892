import { useState } from "preact/hooks";
import { go, linkTo, page, show } from "../address/address.ts";
import type { MerchantAnswer } from "../data/answers.ts";
import type { Failure } from "../data/request.ts";
import { type Account, signOut } from "../data/session.ts";
import type { PageName } from "../page-paths.ts";
import { PAGES } from "../pages.ts";
import { chooseLanguage, chooseTheme, LANGUAGES, type Language, language, THEMES, theme } from "../text/preferences.ts";
import { t } from "../text/text.ts";
import { Choice } from "./choice.tsx";
import { FailureText } from "./failure-text.tsx";
import { Link } from "./link.tsx";
import type { Merchant } from "./merchant.ts";
import { Popover } from "./popover.tsx";

export interface HeaderProps {
  readonly account: Account;
  readonly merchant: Merchant | undefined;
  readonly choices: readonly MerchantAnswer[];
  readonly hasMore: boolean;
}

export function Header({ account, merchant, choices, hasMore }: HeaderProps) {
  const names = (Object.keys(PAGES) as PageName[]).filter(
    (name) => PAGES[name].who === "everyone" || account.kind === "operator",
  );
  return (
    <header class="top">
      <Link class="brand" to={linkTo("today")}>
        <img src="/icon.svg" alt="" width="26" height="26" />
        <span class="brand-name">Tally</span>
      </Link>
      {account.kind === "operator" ? (
        <MerchantChoice merchant={merchant} choices={choices} hasMore={hasMore} />
      ) : (
        <span class="merchant-name" title={merchant?.name}>
          {merchant?.name}
        </span>
      )}
      <nav aria-label={t("nav.label")}>
        {names.map((name) => (
          <Link key={name} to={linkTo(name)} isCurrent={page.value === name}>
            {t(PAGES[name].title)}
          </Link>
        ))}
      </nav>
      <Settings />
    </header>
  );
}

/** In the place of those that the list has no room for: no merchant's id. */
const MORE = "/more";

function MerchantChoice({ merchant, choices, hasMore }: Omit<HeaderProps, "account">) {
  const options = [
    ...choices.map(({ id, name }) => [id, name] as const),
    ...(hasMore ? [[MORE, t("menu.more_merchants")] as const] : []),
  ];
  const isListed = merchant === undefined || choices.some(({ id }) => id === merchant.id);
  return (
    <Choice
      class="merchant-choice"
      label={t("menu.merchant")}
      isLabelHidden
      value={merchant?.id ?? ""}
      options={isListed ? options : [[merchant.id, merchant.name], ...options]}
      // Zone and currency were chosen for another.
      onChange={(id) =>
        id === MORE
          ? go(linkTo("operators", {}, { part: "merchants" }))
          : show({ merchant: id, zone: undefined, currency: undefined })
      }
    />
  );
}

function Settings() {
  const [failure, setFailure] = useState<Failure>();
  return (
    <Popover class="settings" label={t("menu.settings")} button={<SettingsIcon />}>
      <Choice
        label={t("menu.language")}
        value={language.value}
        options={Object.entries(LANGUAGES) as [Language, string][]}
        onChange={chooseLanguage}
      />
      <Choice
        label={t("menu.theme")}
        value={theme.value}
        options={THEMES.map((name) => [name, t(`menu.theme.${name}`)] as const)}
        onChange={chooseTheme}
      />
      <a href="/docs/">{t("menu.reference")}</a>
      <button type="button" onClick={() => void signOut().then(setFailure)}>
        {t("menu.sign_out")}
      </button>
      {failure !== undefined && (
        <p class="wrong" role="alert">
          {t("menu.still_signed_in")} <FailureText failure={failure} />
        </p>
      )}
    </Popover>
  );
}

function SettingsIcon() {
  return (
    <svg
      width="20"
      height="20"
      viewBox="0 0 20 20"
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
      stroke-linecap="round"
    >
      <path d="M3 6h8M15 6h2M3 14h2M9 14h8" />
      <circle cx="13" cy="6" r="2" />
      <circle cx="7" cy="14" r="2" />
    </svg>
  );
}
