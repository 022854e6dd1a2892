import { en, type MessageName, type Messages } from "./messages-en.ts";
import { ja } from "./messages-ja.ts";
import { type Language, language } from "./preferences.ts";

const MESSAGES: Readonly<Record<Language, Messages>> = { en, ja };

/** A message in the language of the page; a component that calls it is drawn again when that changes. */
export function t(name: MessageName, values: Readonly<Record<string, string | number>> = {}): string {
  return MESSAGES[language.value][name].replace(/\{(\w+)\}/g, (blank, key: string) => String(values[key] ?? blank));
}
