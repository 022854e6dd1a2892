import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { KEY_ROLES } from "./key.ts";

/** The directory in D1: who may send, who may read, where windows live, and what needs an operator's eye. */

export const merchants = sqliteTable(
  "merchants",
  {
    id: text("id").primaryKey(),
    name: text("name").notNull(),
    /** IANA zone and ISO 4217 code that reads use when the caller names none. */
    timezone: text("timezone").notNull(),
    currency: text("currency").notNull(),
    createdAt: integer("created_at").notNull(),
  },
  // An operator looks one up by how its name begins, whatever the case.
  (table) => [index("merchants_by_name").on(sql`${table.name} COLLATE NOCASE`)],
);

export const sources = sqliteTable("sources", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  /** JSON array of the merchants it may send for; null means all of them. */
  merchants: text("merchants", { mode: "json" }),
  /** JSON of `sourceMappingSchema`: how rows of its database become payments; null for a source that sends payments. */
  mapping: text("mapping", { mode: "json" }),
  createdAt: integer("created_at").notNull(),
});

export const keys = sqliteTable(
  "keys",
  {
    id: text("id").primaryKey(),
    kind: text("kind", { enum: ["source", "merchant", "operator"] }).notNull(),
    /** The source or merchant the key speaks for; the operator's name. */
    subject: text("subject").notNull(),
    /** Of a merchant's key, which without one reads; of the other kinds null. */
    role: text("role", { enum: KEY_ROLES }),
    /** SHA-256 of the secret, in hex; the secret itself is shown once and kept nowhere. */
    secretHash: text("secret_hash").notNull(),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at"),
    revokedAt: integer("revoked_at"),
    /** What its owner calls it. */
    name: text("name"),
    /** Within some minutes (`noteUse`). */
    lastUsedAt: integer("last_used_at"),
    /** The key that was made in its place; it expires after their overlap. */
    replacedBy: text("replaced_by"),
  },
  (table) => [
    index("keys_subject").on(table.kind, table.subject),
    index("keys_created").on(table.kind, table.createdAt),
  ],
);

/** Calls of operators, and calls that change keys: written before anything is done, with the status once it is. */
export const adminLog = sqliteTable(
  "admin_log",
  {
    /** Counts up: the order of the calls. */
    id: integer("id").primaryKey({ autoIncrement: true }),
    at: integer("at").notNull(),
    requestId: text("request_id").notNull(),
    /** Whose key or session it was; null for nobody's, as of a call that was refused. */
    kind: text("kind", { enum: ["source", "merchant", "operator"] }),
    subject: text("subject"),
    keyId: text("key_id"),
    /** Whether it came with the dashboard's session. */
    isSession: integer("is_session", { mode: "boolean" }).notNull(),
    method: text("method").notNull(),
    /** As it is registered, such as `/v1/admin/keys/:key`. */
    route: text("route").notNull(),
    /** JSON object of path, query and body, without secrets. */
    parameters: text("parameters", { mode: "json" }).notNull(),
    /** Of the answer; null while there is none, and for good where the Worker died, or the directory went away, in between. */
    status: integer("status"),
    finishedAt: integer("finished_at"),
  },
  (table) => [index("admin_log_kind").on(table.kind, table.id)],
);

export const topologyEpochs = sqliteTable("topology_epochs", {
  id: integer("id").primaryKey(),
  /** The first window start it holds for; the epoch of a window never changes afterwards. */
  fromMs: integer("from_ms").notNull().unique(),
  shards: integer("shards").notNull(),
  /** JSON object: merchant id → shard index. */
  overrides: text("overrides", { mode: "json" }).notNull(),
});

/** Windows that took events after the lateness horizon: archived, to be rebuilt from the archive. */
export const lateWindows = sqliteTable(
  "late_windows",
  {
    merchantId: text("merchant_id").notNull(),
    windowStart: integer("window_start").notNull(),
    firstSeenAt: integer("first_seen_at").notNull(),
    lastSeenAt: integer("last_seen_at").notNull(),
    /** Why it could not be rebuilt, when that was tried; it is tried again then. */
    failure: text("failure"),
    retryAt: integer("retry_at").notNull().default(0),
  },
  (table) => [
    primaryKey({ columns: [table.merchantId, table.windowStart] }),
    index("late_windows_due").on(table.retryAt, table.windowStart),
  ],
);

/** A message its consumer gave up on. The body stands in the archive bucket under `body_key`. */
export const deadLetters = sqliteTable(
  "dead_letters",
  {
    id: text("id").primaryKey(),
    queue: text("queue").notNull(),
    reason: text("reason").notNull(),
    attempts: integer("attempts").notNull(),
    bodyKey: text("body_key").notNull(),
    bodyBytes: integer("body_bytes").notNull(),
    sentAt: integer("sent_at").notNull(),
    deadAt: integer("dead_at").notNull(),
    /** When an operator put it back on its queue; should it die again, that is another letter. */
    redrivenAt: integer("redriven_at"),
    /** When its body was removed for good, and the SHA-256 of it in hex. */
    discardedAt: integer("discarded_at"),
    bodySha256: text("body_sha256"),
  },
  (table) => [index("dead_letters_queue").on(table.queue, table.deadAt)],
);

/** Windows of a span counted anew from the archive, compared with history, and, unless it is a dry run, written there where they differ. */
export const replays = sqliteTable(
  "replays",
  {
    id: text("id").primaryKey(),
    /** Who asked for it: an operator, or the audit, which replays every hour once it is final. */
    askedBy: text("asked_by", { enum: ["operator", "audit"] })
      .notNull()
      .default("operator"),
    fromMs: integer("from_ms").notNull(),
    toMs: integer("to_ms").notNull(),
    /** One merchant's windows alone; null for all. */
    merchantId: text("merchant_id"),
    dryRun: integer("dry_run", { mode: "boolean" }).notNull(),
    state: text("state", { enum: ["running", "done", "cancelled"] }).notNull(),
    /** What comes before is done; of the hour that begins here, so many of so many slices of merchants. */
    nextMs: integer("next_ms").notNull(),
    slice: integer("slice").notNull().default(0),
    slices: integer("slices").notNull().default(1),
    /** Why the last pass failed, until one succeeds. */
    failure: text("failure"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [index("replays_state").on(table.state, table.createdAt)],
);

/** What one pass of a replay found, noted before anything is written: done again after a crash, the first finding stands. */
export const replayPasses = sqliteTable(
  "replay_passes",
  {
    replayId: text("replay_id").notNull(),
    fromMs: integer("from_ms").notNull(),
    slice: integer("slice").notNull(),
    toMs: integer("to_ms").notNull(),
    equal: integer("equal").notNull(),
    changed: integer("changed").notNull(),
    missing: integer("missing").notNull(),
    short: integer("short").notNull(),
    unarchived: integer("unarchived").notNull(),
    events: integer("events").notNull(),
    /** JSON array of `{key, reason}`. */
    damaged: text("damaged", { mode: "json" }).notNull(),
    /** JSON array of what an audit's second opinion says otherwise; null where none was taken. */
    doubts: text("doubts", { mode: "json" }),
    foundAt: integer("found_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.replayId, table.fromMs, table.slice] })],
);

/** Windows that a replay found to differ, up to a limit for each pass. */
export const replayDifferences = sqliteTable(
  "replay_differences",
  {
    replayId: text("replay_id").notNull(),
    windowStart: integer("window_start").notNull(),
    merchantId: text("merchant_id").notNull(),
    currency: text("currency").notNull(),
    verdict: text("verdict").notNull(),
    archivedEvents: integer("archived_events").notNull(),
    storedEvents: integer("stored_events").notNull(),
    /** Minor units, decimal. */
    archivedAmount: text("archived_amount").notNull(),
    storedAmount: text("stored_amount").notNull(),
  },
  (table) => [primaryKey({ columns: [table.replayId, table.windowStart, table.merchantId, table.currency] })],
);

/** Users whose hashes are taken out of the archive, hour after hour. */
export const erasures = sqliteTable(
  "erasures",
  {
    id: text("id").primaryKey(),
    /** JSON array of the hashes; null once it is done: nothing of them is kept then. */
    userHashes: text("user_hashes", { mode: "json" }),
    users: integer("users").notNull(),
    /** Event hours before this one. */
    toMs: integer("to_ms").notNull(),
    /** What comes before is done. */
    nextMs: integer("next_ms").notNull(),
    state: text("state", { enum: ["running", "done"] }).notNull(),
    /** Events that had one of the hashes, files that were written anew, objects of the archive that cannot be read and were left. */
    events: integer("events").notNull().default(0),
    files: integer("files").notNull().default(0),
    unreadable: integer("unreadable").notNull().default(0),
    /** Key of the last dead letter's body that was gone through; null once all were, which comes before any hour, and again after the last one. */
    lettersAfter: text("letters_after").default(""),
    /** Bodies of dead letters that had one of the hashes. */
    letters: integer("letters").notNull().default(0),
    /** Bodies of dead letters that could not be read when they were last gone through: it is not done while there are any. */
    unreadableLetters: integer("unreadable_letters").notNull().default(0),
    /** Why the last pass failed, until one succeeds. */
    failure: text("failure"),
    /** Not before this moment: hours that are not final yet, or what failed, wait. */
    retryAt: integer("retry_at").notNull().default(0),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [index("erasures_state").on(table.state, table.retryAt)],
);

/** Hours with objects in the archive that stand in no Parquet yet; noted by who reads them, until they are compacted. */
export const uncompactedHours = sqliteTable("uncompacted_hours", {
  hourMs: integer("hour_ms").primaryKey(),
  firstNotedAt: integer("first_noted_at").notNull(),
  lastNotedAt: integer("last_noted_at").notNull(),
  /** Why it could not be compacted, when that was tried; it is tried again at `retry_at`. */
  failure: text("failure"),
  retryAt: integer("retry_at").notNull().default(0),
});

/**
 * Whose windows were counted anew, or are about to be: answers that were kept before are no longer given. Append-only and in order, so that an
 * isolate asks only for what came since; numbers are never used again.
 */
export const corrections = sqliteTable(
  "corrections",
  {
    seq: integer("seq").primaryKey({ autoIncrement: true }),
    /** Null for all. */
    merchantId: text("merchant_id"),
    notedAt: integer("noted_at").notNull(),
  },
  (table) => [index("corrections_merchant").on(table.merchantId, table.seq)],
);

/** What somebody is to be told of: a rule, where the notice goes, and how it stands. */
export const alerts = sqliteTable(
  "alerts",
  {
    id: text("id").primaryKey(),
    /** Whose numbers; null for the pipeline's state, which is operators'. */
    merchantId: text("merchant_id"),
    name: text("name").notNull(),
    /** JSON of `ruleSchema`. */
    rule: text("rule", { mode: "json" }).notNull(),
    url: text("url").notNull(),
    /** Sealed (`sealed-secret.ts`); the one before goes on signing beside it until `previous_until`. */
    secret: text("secret").notNull(),
    previousSecret: text("previous_secret"),
    previousUntil: integer("previous_until"),
    remindEveryMs: integer("remind_every_ms"),
    isEnabled: integer("is_enabled", { mode: "boolean" }).notNull(),
    /** Why it was disabled, when its owner did not do it. */
    disabledReason: text("disabled_reason"),
    /** When it is looked at next; null while it is disabled. */
    dueAt: integer("due_at"),
    /** Of the run that looks at it now: what another one finds is not written. */
    lease: text("lease"),
    firingSince: integer("firing_since"),
    remindedAt: integer("reminded_at"),
    /** Since when every look said otherwise than it stands. */
    contradictedSince: integer("contradicted_since"),
    checkedAt: integer("checked_at"),
    /** What the last look found: JSON of `checkSchema`. */
    checked: text("checked", { mode: "json" }),
    /** What a day is compared with, kept for that day: JSON of `baselineSchema`. */
    baseline: text("baseline", { mode: "json" }),
    /** The first failure of a delivery since one succeeded. */
    failingSince: integer("failing_since"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [index("alerts_due").on(table.dueAt), index("alerts_merchant").on(table.merchantId, table.createdAt)],
);

/** Notices on their way, and the last that went: the outbox of webhooks. */
export const alertDeliveries = sqliteTable(
  "alert_deliveries",
  {
    /** The `webhook-id`: made of the alert, the firing and what is told of it, so that a notice is written once. */
    id: text("id").primaryKey(),
    alertId: text("alert_id").notNull(),
    type: text("type").notNull(),
    /** The JSON that is posted, the same with every attempt. */
    body: text("body").notNull(),
    attempts: integer("attempts").notNull().default(0),
    /** When it is tried next; null once it has arrived or is given up. */
    dueAt: integer("due_at"),
    deliveredAt: integer("delivered_at"),
    failedAt: integer("failed_at"),
    /** Of the last answer; null where there was none. */
    status: integer("status"),
    failure: text("failure"),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [
    // Those that are done, which have no `due_at`, by their age.
    index("alert_deliveries_due").on(table.dueAt, table.createdAt),
    index("alert_deliveries_alert").on(table.alertId, table.createdAt),
  ],
);
