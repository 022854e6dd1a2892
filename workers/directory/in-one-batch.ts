import type { SQL } from "drizzle-orm";
import { SQLiteAsyncDialect } from "drizzle-orm/sqlite-core";

const dialect = new SQLiteAsyncDialect();

/** Runs statements in one transaction: all of them, or none. Drizzle's own `batch` takes none that are written as SQL. */
export async function inOneBatch(directory: D1Database, statements: readonly SQL[]): Promise<void> {
  const prepared = statements.map((statement) => {
    const { sql, params } = dialect.sqlToQuery(statement);
    return directory.prepare(sql).bind(...params);
  });
  await directory.batch(prepared);
}
