/**
 * Messages as Debezium Server's HTTP sink posts them, for tests: the shapes of Debezium 2.7 and 3, PostgreSQL and MongoDB, with rows of
 * payments in them. What a message says of the connector is as the connectors write it.
 */

/** A row of `public.payments`: `bigint`, `numeric(12,2)` (decimal.handling.mode=string), `timestamptz`, `timestamp`, `jsonb`. */
export const PAYMENT_ROW = {
  id: 1017,
  shop: "cafe-hoshino",
  status: "captured",
  amount: "1234.50",
  currency: "USD",
  method: "card",
  created_at: "2026-11-23T01:04:05.123456Z",
  refunded_at: null,
  updated_at: 1_795_395_845_123_456,
  details: '{"channel": {"device": "ios"}, "payer": "c-7"}',
};

type Row = Readonly<Record<string, unknown>>;

const postgresSource = (over: Row) => ({
  version: "3.0.8.Final",
  connector: "postgresql",
  name: "tally",
  ts_ms: 1_795_395_845_200,
  snapshot: "false",
  db: "shop",
  sequence: '["23834584","23836216"]',
  ts_us: 1_795_395_845_200_311,
  ts_ns: 1_795_395_845_200_311_000,
  schema: "public",
  table: "payments",
  txId: 774,
  lsn: 23_836_216,
  xmin: null,
  ...over,
});

/** The value of a change of PostgreSQL in the format `json` without schemas. */
export const postgresChange = (op: string, after: Row | null, before: Row | null = null, source: Row = {}) => ({
  before,
  after,
  source: postgresSource(source),
  transaction: null,
  op,
  ts_ms: 1_795_395_845_461,
  ts_us: 1_795_395_845_461_093,
  ts_ns: 1_795_395_845_461_000_000,
});

/** The same as the format `cloudevents` has it; with `schemas` as it does by default, the schema beside the row. */
export const postgresCloudEvent = (
  op: string,
  after: Row | null,
  { before = null as Row | null, schemas = false } = {},
) => ({
  id: 'name:tally;lsn:23836216;txId:774;sequence:["23834584","23836216"]',
  source: "/debezium/postgresql/tally",
  specversion: "1.0",
  type: "io.debezium.connector.postgresql.DataChangeEvent",
  time: "2026-11-23T01:04:05.200Z",
  datacontenttype: "application/json",
  iodebeziumop: op,
  iodebeziumversion: "3.0.8.Final",
  iodebeziumconnector: "postgresql",
  iodebeziumname: "tally",
  iodebeziumtsms: "1795395845200",
  iodebeziumsnapshot: "false",
  iodebeziumdb: "shop",
  iodebeziumsequence: '["23834584","23836216"]',
  iodebeziumschema: "public",
  iodebeziumtable: "payments",
  iodebeziumtxId: "774",
  iodebeziumlsn: "23836216",
  iodebeziumxmin: null,
  data: schemas ? { schema: { type: "struct", fields: [] }, payload: { before, after } } : { before, after },
});

/** A document of `shop.payments` as the MongoDB connector writes it: Extended JSON, in a text. */
export const PAYMENT_DOCUMENT = `{"_id": {"$oid": "67f4675b8126ee23e2e79ec1"},"shop": "cafe-hoshino","state": "PAID","total": {"$numberDecimal": "12.5"},"currency": "EUR","paidAt": {"$date": 1795395845123},"payer": {"id": {"$numberLong": "9007199254740993"},"country": "DE"},"method": "wallet","lines": [{"sku": "a"}]}`;

/** The value of a change of MongoDB in the format `json`, with its schema or without. */
export function mongoChange(op: string, after: string | null, { schemas = false } = {}) {
  const payload = {
    before: null,
    after,
    updateDescription:
      op === "u" ? { removedFields: null, updatedFields: '{"state": "PAID"}', truncatedArrays: null } : null,
    source: {
      version: "2.7.0.Final",
      connector: "mongodb",
      name: "mongo",
      ts_ms: 1_795_395_845_000,
      snapshot: "false",
      db: "shop",
      sequence: null,
      ts_us: 1_795_395_845_000_000,
      ts_ns: 1_795_395_845_000_000_000,
      collection: "payments",
      ord: 1,
      lsid: null,
      txnNumber: null,
      wallTime: 1_795_395_845_419,
    },
    op,
    ts_ms: 1_795_395_845_593,
    transaction: null,
  };
  return schemas ? { schema: { type: "struct", name: "mongo.shop.payments.Envelope" }, payload } : payload;
}
