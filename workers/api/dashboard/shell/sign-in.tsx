import { didLinkFail } from "../data/session.ts";
import { chooseLanguage, LANGUAGES, type Language, language } from "../text/preferences.ts";
import { t } from "../text/text.ts";
import { Choice } from "./choice.tsx";
import { KeyForm } from "./key-form.tsx";

export function SignIn() {
  return (
    <main class="sign-in">
      <img src="/icon.svg" alt="" width="44" height="44" />
      <h1>{t("sign_in.title")}</h1>
      <p>{didLinkFail.value ? t("sign_in.link_failed") : t("sign_in.intro")}</p>
      <KeyForm />
      <Choice
        label={t("menu.language")}
        value={language.value}
        options={Object.entries(LANGUAGES) as [Language, string][]}
        onChange={chooseLanguage}
      />
    </main>
  );
}
