import { expect, test } from "vitest";
import { ALERTS } from "./alerts.ts";
import { EXPLORE } from "./explore.ts";
import { KEYS } from "./keys.ts";
import { LISTS } from "./lists.ts";
import { OPERATORS } from "./operators.ts";
import { PAYMENTS } from "./payments.ts";

const blanksOf = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test.for(Object.entries({ ALERTS, EXPLORE, KEYS, LISTS, OPERATORS, PAYMENTS }))(
  "%s: both languages have the same messages, none empty, each with the same blanks to fill in",
  ([, { en, ja }]) => {
    const translated = new Map<string, string>(Object.entries(ja));
    expect([...translated.keys()].sort()).toEqual(Object.keys(en).sort());
    for (const [name, text] of Object.entries<string>(en)) {
      expect(translated.get(name)?.trim(), name).not.toBe("");
      expect(blanksOf(translated.get(name) ?? ""), name).toEqual(blanksOf(text));
    }
  },
);
