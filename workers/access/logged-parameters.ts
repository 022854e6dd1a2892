import type { HonoRequest } from "hono";

/** What an entry keeps of a call's parameters; of longer ones it has the beginning. */
const PARAMETERS_CHARACTERS_MAX = 4_000;

const KEY_TOKEN = /tally_(src|mch|opr)_([0-9a-f]{16})_[A-Za-z0-9_-]*/g;
const SECRET_MEMBER = /secret|password|token|authorization|cookie/i;
/** An address may itself be what lets its holder in, as those of many chats are: of one its origin is kept. */
const URL_MEMBER = /^url$/i;

/** Path, query and JSON body of a call as the log keeps them: without secrets, and bounded. */
export async function loggedParameters(req: HonoRequest): Promise<object> {
  const body = await bodyOf(req);
  return bounded({
    path: req.path,
    ...(Object.keys(req.query()).length === 0 ? {} : { query: withoutSecrets(req.queries()) }),
    ...(body === undefined ? {} : { body: withoutSecrets(body) }),
  });
}

/** Hono keeps what was read, so that the handler can read it again. The router has limited it (`limitBody`). */
async function bodyOf(req: HonoRequest): Promise<unknown> {
  if (req.raw.body === null) return undefined;
  let text = "";
  try {
    text = await req.text();
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    // What is no JSON might hold anything; of a call that is refused the body may never have come.
    return { not_json: true, characters: text.length };
  }
}

/** A copy in which keys show their id alone, and members that are called secrets nothing. */
export function withoutSecrets(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll(KEY_TOKEN, "tally_$1_$2");
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      SECRET_MEMBER.test(name) ? "[left out]" : URL_MEMBER.test(name) ? originOf(member) : withoutSecrets(member),
    ]),
  );
}

function originOf(member: unknown): string {
  const url = typeof member === "string" ? URL.parse(member) : null;
  return url === null ? "[left out]" : `${url.protocol}//${url.host}/…`;
}

function bounded(parameters: object): object {
  const text = JSON.stringify(parameters);
  return text.length <= PARAMETERS_CHARACTERS_MAX
    ? parameters
    : { cut: text.slice(0, PARAMETERS_CHARACTERS_MAX), characters: text.length };
}
