import { expect, test } from "vitest";
import type { Account } from "./account.ts";
import { type Deployment, runPlan } from "./run-plan.ts";

test("an operator's key is shown as soon as it is kept, whatever fails after it: nobody could ask for it again", async () => {
  const kept: string[] = [];
  const shown: string[] = [];
  const query = async (_: string, sql: string, params: readonly string[]) => {
    if (sql.startsWith("INSERT INTO keys")) kept.push(params[0] ?? "");
    return [];
  };
  const deployment = {
    account: { query } as unknown as Account,
    onOperatorKey: (key: string) => shown.push(key),
    onStep: () => () => {},
    withSmokeTest: true,
    urls: async () => {
      throw new Error("nothing answers");
    },
  } as unknown as Deployment;
  const run = runPlan([{ kind: "first-operator-key" }, { kind: "smoke-test" }], "database", deployment);
  await expect(run).rejects.toThrow("nothing answers");
  expect(shown).toEqual([expect.stringMatching(`^tally_opr_${kept[0]}_.{43}$`)]);
});
