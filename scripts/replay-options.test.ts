import { expect, test } from "vitest";
import { parseReplayCommand } from "./replay-options.ts";

const span = ["--from", "2026-11-01T00:00:00Z", "--to", "2026-11-02T00:00:00Z"];
const given = { TALLY_KEY: "key" };

test("a span begins a replay of it", () => {
  expect(parseReplayCommand([...span, "--merchant", "shop", "--dry-run", "--url", "http://api/"], given)).toEqual({
    command: {
      url: "http://api",
      key: "key",
      json: false,
      task: {
        kind: "begin",
        body: { from: "2026-11-01T00:00:00Z", to: "2026-11-02T00:00:00Z", dry_run: true, merchant: "shop" },
      },
    },
  });
});

test.each([
  [["--id", "r"], "watch"],
  [["--id", "r", "--cancel"], "cancel"],
])("%s names one that was begun", (args, kind) => {
  expect(parseReplayCommand(args, given)).toMatchObject({ command: { task: { kind, id: "r" } } });
});

test.each<[string, readonly string[], Readonly<Record<string, string>>, string]>([
  ["no key", span, {}, "key"],
  ["no span", [], given, "--from"],
  ["half a span", span.slice(0, 2), given, "--to"],
  ["both a span and an id", [...span, "--id", "r"], given, "--id"],
  ["nothing to cancel", ["--cancel"], given, "--id"],
  ["an unknown option", [...span, "--merchants", "a"], given, "--merchants"],
  ["no URL", [...span, "--url", "api"], given, "URL"],
])("%s is wrong, and the answer says what", (_, args, env, word) => {
  const parsed = parseReplayCommand(args, env);
  expect("wrong" in parsed && parsed.wrong).toContain(word);
});

test("help is help whatever else is missing", () => {
  expect(parseReplayCommand(["--help"], {})).toEqual({ help: true });
});
