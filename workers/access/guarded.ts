import type { RateLimitEnv } from "../http/rate-limit.ts";
import type { WithRequestId } from "../http/request-id.ts";
import type { Caller } from "./caller.ts";
import type { SessionEnv } from "./session.ts";

/** What `admit` needs of a Worker. One without `SESSION_KEY` looks at no cookie. */
export interface AdmitEnv extends SessionEnv, RateLimitEnv {
  readonly DIRECTORY: D1Database;
}

/** What a handler finds in `c.var`. */
export interface Admitted {
  /** Whoever was admitted; not there on routes for anyone. */
  caller: Caller;
  /** The merchant in the path, whom the caller may read; there on routes below `/v1/merchants/:merchant`. */
  merchant: string;
  /** Whether the caller would be admitted now: for answers that go on, whose key may be revoked meanwhile. */
  isStillAdmitted: (nowMs: number) => Promise<boolean>;
}

/** The environment of a Worker whose routes `admit` guards. */
export type Guarded<Bindings> = {
  Bindings: Bindings;
  Variables: WithRequestId<Bindings>["Variables"] & Admitted;
};
