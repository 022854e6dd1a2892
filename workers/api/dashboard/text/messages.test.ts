import { expect, test } from "vitest";
import { en } from "./messages-en.ts";
import { ja } from "./messages-ja.ts";

const blanksOf = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test("both languages have the same messages, none empty, each with the same blanks to fill in", () => {
  expect(Object.keys(ja).sort()).toEqual(Object.keys(en).sort());
  for (const [name, text] of Object.entries(en)) {
    const translated = ja[name as keyof typeof en];
    expect(translated.trim(), name).not.toBe("");
    expect(blanksOf(translated), name).toEqual(blanksOf(text));
  }
});
