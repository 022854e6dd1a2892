import { defineConfig } from "drizzle-kit";

/** `npm run db:generate` writes the next migration from the schema; wrangler and `npm start` apply them. */
export default defineConfig({ dialect: "sqlite", schema: "./workers/directory/schema.ts", out: "./migrations" });
