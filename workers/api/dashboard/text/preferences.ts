import { effect, signal } from "@preact/signals";

export const LANGUAGES = { en: "English", ja: "日本語" } as const;
export type Language = keyof typeof LANGUAGES;

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const LANGUAGE = "tally.language";
/** public/ahead.js reads it too, before the first paint. */
const THEME = "tally.theme";

export const language = signal<Language>(firstLanguage());
export const theme = signal<Theme>(THEMES.find((name) => name === localStorage.getItem(THEME)) ?? "auto");

export function chooseLanguage(chosen: Language): void {
  language.value = chosen;
  localStorage.setItem(LANGUAGE, chosen);
}

export function chooseTheme(chosen: Theme): void {
  theme.value = chosen;
  localStorage.setItem(THEME, chosen);
}

effect(() => {
  document.documentElement.lang = language.value;
});

effect(() => {
  if (theme.value === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
});

function firstLanguage(): Language {
  const wished = [localStorage.getItem(LANGUAGE) ?? "", ...navigator.languages].map((tag) => tag.slice(0, 2));
  return wished.find((tag): tag is Language => tag in LANGUAGES) ?? "en";
}
