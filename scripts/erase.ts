import { z } from "zod";
import { ERASE_HELP, type EraseCommand, parseEraseCommand } from "./erase-options.ts";
import { failureText } from "./failure-text.ts";

const REQUEST_TIMEOUT_MS = 30_000;

const begunSchema = z.looseObject({ id: z.string(), users: z.int(), to: z.string() });
const problemSchema = z.looseObject({ title: z.string(), detail: z.string().optional() });

const parsed = parseEraseCommand(process.argv.slice(2), process.env);
if ("help" in parsed) {
  process.stdout.write(ERASE_HELP);
} else if ("wrong" in parsed) {
  process.stderr.write(`${parsed.wrong}\nnpm run erase -- --help says more.\n`);
  process.exitCode = 2;
} else {
  process.exitCode = await erase(parsed.command).catch((error: unknown) => {
    process.stderr.write(`${failureText(error)}\n`);
    return 1;
  });
}

async function erase({ url, key, body, json }: EraseCommand): Promise<number> {
  const answer = await fetch(`${url}/v1/admin/erasures`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  const text = await answer.text();
  if (!answer.ok) {
    const problem = problemSchema.safeParse(JSON.parse(text));
    const words = problem.success ? [problem.data.title, problem.data.detail ?? ""] : [`status ${answer.status}`];
    process.stderr.write(`${words.join(". ")}\n`);
    return 2;
  }
  const begun = begunSchema.parse(JSON.parse(text));
  process.stdout.write(
    json
      ? `${text}\n`
      : `${begun.users} users are being erased from events before ${begun.to}: GET /v1/admin/erasures/${begun.id}\n`,
  );
  return 0;
}
