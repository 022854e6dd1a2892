import Cloudflare from "cloudflare";
import { WORKERS, type WorkerName } from "../build.ts";
import type { AccountState } from "./plan.ts";
import type { Wanted } from "./wanted.ts";

export interface Credentials {
  readonly token: string;
  /** Asked of Cloudflare when the token is for one account only. */
  readonly accountId: string | undefined;
  /** Where Cloudflare's API answers, if not at its own address. */
  readonly apiUrl: string | undefined;
}

/** Why an account cannot be worked on; the message is a sentence for a person. */
export class AccountError extends Error {
  override readonly name = "AccountError";
}

/** Permissions of the API token, as Cloudflare's dashboard calls them. */
export const TOKEN_PERMISSIONS = [
  "Workers Scripts: Edit",
  "D1: Edit",
  "Queues: Edit",
  "Workers R2 Storage: Edit",
  "Account Settings: Read",
];

/** Cloudflare, as far as a deployment creates and asks; Workers themselves are deployed by wrangler. */
export class Account {
  readonly id: string;
  readonly #client: Cloudflare;

  private constructor(id: string, client: Cloudflare) {
    this.id = id;
    this.#client = client;
  }

  /** Throws an `AccountError` when the token is refused, or is for several accounts and none is named. */
  static async open({ token, accountId, apiUrl }: Credentials): Promise<Account> {
    const client = new Cloudflare({ apiToken: token, ...(apiUrl === undefined ? {} : { baseURL: apiUrl }) });
    const accounts: { readonly id: string; readonly name: string }[] = [];
    try {
      for await (const { id, name } of client.accounts.list()) accounts.push({ id, name });
    } catch (cause) {
      const isUnreached = cause instanceof Cloudflare.APIConnectionError;
      throw new AccountError(
        isUnreached
          ? "Cloudflare cannot be reached (a dry run without CLOUDFLARE_API_TOKEN needs no network)"
          : `Cloudflare does not take the token: ${textOf(cause)}`,
        { cause },
      );
    }
    if (accountId !== undefined) {
      if (!accounts.some(({ id }) => id === accountId)) {
        throw new AccountError(`the token is not for account ${accountId}, but for ${listed(accounts)}`);
      }
      return new Account(accountId, client);
    }
    const [only] = accounts;
    if (only === undefined) throw new AccountError("the token is for no account");
    if (accounts.length > 1) throw new AccountError(`name one account, CLOUDFLARE_ACCOUNT_ID: ${listed(accounts)}`);
    return new Account(only.id, client);
  }

  /** Throws an `AccountError` with what may not be read. */
  async read({ database, scripts }: Wanted): Promise<AccountState> {
    const account_id = this.id;
    const [queues, buckets, databases, secrets] = await Promise.all([
      asked("queues", async () => await all(this.#client.queues.list({ account_id }))),
      asked("R2 buckets", async () => (await this.#client.r2.buckets.list({ account_id })).buckets ?? []),
      asked("D1 databases", async () => await all(this.#client.d1.database.list({ account_id, name: database }))),
      asked("secrets", () => this.#secretsOf(scripts)),
    ]);
    return {
      queues: new Set(queues.flatMap(({ queue_name }) => queue_name ?? [])),
      buckets: new Set(buckets.flatMap(({ name }) => name ?? [])),
      databaseId: databases.find(({ name }) => name === database)?.uuid,
      secrets,
    };
  }

  async createQueue(queue_name: string): Promise<void> {
    await this.#client.queues.create({ account_id: this.id, queue_name });
  }

  async createBucket(name: string): Promise<void> {
    await this.#client.r2.buckets.create({ account_id: this.id, name });
  }

  /** Answers its id. */
  async createDatabase(name: string): Promise<string> {
    const { uuid } = await this.#client.d1.database.create({ account_id: this.id, name });
    if (uuid === undefined) throw new AccountError(`Cloudflare gave the database ${name} no id`);
    return uuid;
  }

  /** The rows of one statement. */
  async query(databaseId: string, sql: string, params: readonly string[]): Promise<readonly unknown[]> {
    const results = await all(
      this.#client.d1.database.query(databaseId, { account_id: this.id, sql, params: [...params] }),
    );
    return results.flatMap(({ results: rows }) => rows ?? []);
  }

  /** Where Workers answer without a domain of their own: `<worker>.<subdomain>.workers.dev`. */
  async subdomain(): Promise<string | undefined> {
    return await orMissing(async () => (await this.#client.workers.subdomains.get({ account_id: this.id })).subdomain);
  }

  /** Of the Workers that have been deployed. */
  async #secretsOf(scripts: Wanted["scripts"]): Promise<Map<WorkerName, ReadonlySet<string>>> {
    const found = new Map<WorkerName, ReadonlySet<string>>();
    for (const worker of WORKERS) {
      const secrets = await orMissing(() =>
        all(this.#client.workers.scripts.secrets.list(scripts[worker], { account_id: this.id })),
      );
      if (secrets !== undefined) found.set(worker, new Set(secrets.flatMap(({ name }) => name ?? [])));
    }
    return found;
  }
}

async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of pages) items.push(item);
  return items;
}

async function asked<T>(what: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    throw new AccountError(`the account's ${what} cannot be read: ${textOf(cause)}`, { cause });
  }
}

async function orMissing<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Cloudflare.NotFoundError) return undefined;
    throw error;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function listed(accounts: readonly { readonly id: string; readonly name: string }[]): string {
  return accounts.map(({ id, name }) => `${id} (${name})`).join(", ") || "none";
}
