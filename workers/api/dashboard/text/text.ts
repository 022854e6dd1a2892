import { en } from "./messages-en.ts";
import { ja } from "./messages-ja.ts";
import { type Language, language } from "./preferences.ts";

export type Text<Name extends string> = (name: Name, values?: Readonly<Record<string, string | number>>) => string;

/** Messages by name, in the language of the page; a component that calls it is drawn again when that changes. */
export function textOf<Name extends string>(
  messages: Readonly<Record<Language, Readonly<Record<Name, string>>>>,
): Text<Name> {
  return (name, values = {}) =>
    messages[language.value][name].replace(/\{(\w+)\}/g, (blank, key: string) => String(values[key] ?? blank));
}

/** The messages of all pages. What one page alone says comes with it (text/pages). */
export const t = textOf({ en, ja });
