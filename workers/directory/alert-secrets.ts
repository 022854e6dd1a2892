import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { z } from "zod";
import { openSecret, presentPrefix, randomIv, type SealingEnv, sealSecret } from "../alerts/sealed-secret.ts";
import { log } from "../log.ts";
import { inOneBatch } from "./in-one-batch.ts";

/** Alerts whose secrets one run seals anew; the next goes on. */
const RESEALED_MAX = 500;

const sealedSchema = z.object({ id: z.string(), secret: z.string(), previous_secret: z.string().nullable() });

/** After a rotation of `ALERT_KEY`, seals with it what the previous one has sealed; answers how many alerts' that was. */
export async function resealSecrets(env: SealingEnv & { readonly DIRECTORY: D1Database }): Promise<number> {
  if ((env.ALERT_KEY ?? "") === "" || (env.ALERT_KEY_PREVIOUS ?? "") === "") return 0;
  const present = `${await presentPrefix(env)}%`;
  const rows = await drizzle(env.DIRECTORY).all(sql`
    SELECT id, secret, previous_secret FROM alerts
    WHERE secret NOT LIKE ${present} OR previous_secret NOT LIKE ${present} LIMIT ${RESEALED_MAX}`);
  const resealed = (await Promise.all(rows.map((row) => reseal(env, sealedSchema.parse(row))))).flatMap(
    (one) => one ?? [],
  );
  if (resealed.length === 0) return 0;
  // One that was rotated in between has been sealed with the present key by that.
  await inOneBatch(env.DIRECTORY, [
    sql`
      UPDATE alerts SET secret = value ->> 'secret', previous_secret = value ->> 'previous'
      FROM json_each(${JSON.stringify(resealed)}) WHERE alerts.id = value ->> 'id' AND alerts.secret = value ->> 'before'`,
  ]);
  return resealed.length;
}

/** `undefined` for one that neither key has sealed: it is lost, and its alert wants another (`rotate`). */
async function reseal(env: SealingEnv, { id, secret, previous_secret: previous }: z.output<typeof sealedSchema>) {
  const anew = async (text: string) => await sealSecret(env, id, await openSecret(env, id, text), randomIv());
  try {
    return {
      id,
      before: secret,
      secret: await anew(secret),
      previous: previous === null ? null : await anew(previous),
    };
  } catch (error) {
    log("error", "a webhook's secret cannot be opened", { alert: id, error });
    return undefined;
  }
}
