import type { HonoRequest } from "hono";
import { withoutKeySecrets } from "../directory/key.ts";

/** What an entry keeps of a call's parameters; of longer ones it has the beginning. */
const PARAMETERS_CHARACTERS_MAX = 4_000;
/** Far deeper than any body of ours: whatever goes through JSON level by level, as writing it does, runs out of stack at some thousands. */
const PARAMETERS_DEPTH_MAX = 32;

/** Hashes of users too: who asks to be erased shall not be found in the log. */
const SECRET_MEMBER = /secret|password|token|authorization|cookie|user_hash/i;
/** An address may itself be what lets its holder in, as those of many chats are: of one its origin is kept. */
const URL_MEMBER = /^url$/i;

/** Path, query and JSON body of a call as the log keeps them: without secrets, and bounded. */
export async function loggedParameters(req: HonoRequest): Promise<object> {
  const body = await bodyOf(req);
  return bounded({
    path: withoutKeySecrets(req.path),
    ...(Object.keys(req.query()).length === 0 ? {} : { query: withoutSecrets(req.queries()) }),
    ...(body === undefined ? {} : { body: withoutSecrets(body) }),
  });
}

/** Hono keeps what was read, so that the handler can read it again. The router has limited it (`limitBody`). */
async function bodyOf(req: HonoRequest): Promise<unknown> {
  // A GET may be sent with a body, which nobody reads, and nobody has limited (`limitBody`).
  if (req.raw.body === null || req.method === "GET" || req.method === "HEAD") return undefined;
  let text = "";
  try {
    text = await req.text();
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    // What is no JSON might hold anything; of a call that is refused the body may never have come.
    return { not_json: true, characters: text.length };
  }
}

/** A copy in which keys show their id alone, and members that are called secrets nothing; what is nested too deep is left out. */
export function withoutSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return withoutKeySecrets(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth === PARAMETERS_DEPTH_MAX) return "[too deep]";
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      withoutKeySecrets(name),
      SECRET_MEMBER.test(name)
        ? "[left out]"
        : URL_MEMBER.test(name)
          ? shownOrigin(member)
          : withoutSecrets(member, depth + 1),
    ]),
  );
}

/** Of an address its origin, for whoever may know where it leads and not what lets its holder in. */
export function shownOrigin(member: unknown): string {
  const url = typeof member === "string" ? URL.parse(member) : null;
  return url === null ? "[left out]" : `${url.protocol}//${url.host}/…`;
}

function bounded(parameters: object): object {
  const text = JSON.stringify(parameters);
  return text.length <= PARAMETERS_CHARACTERS_MAX
    ? parameters
    : { cut: text.slice(0, PARAMETERS_CHARACTERS_MAX), characters: text.length };
}
