import { API_ACCESS, INGEST_ACCESS, type Who } from "../access/table.ts";
import type { OperationTable } from "./operation.ts";
import { ACCESS_OPERATIONS } from "./operations-access.ts";
import { ALERT_OPERATIONS } from "./operations-alerts.ts";
import { COLLECT_OPERATIONS } from "./operations-collect.ts";
import { OPERATE_OPERATIONS } from "./operations-operate.ts";
import { READ_OPERATIONS } from "./operations-read.ts";
import { COMMON_PROBLEMS, type ProblemCode } from "./problems.ts";

type Security = Record<string, string[]>[];

const SECURITY: Readonly<Record<Who, Security>> = {
  anyone: [],
  source: [{ key: [] }],
  merchant: [{ key: [] }, { session: [] }],
  manager: [{ key: [] }, { session: [] }],
  reader: [{ key: [] }, { session: [] }],
  session: [{ session: [] }],
  operator: [{ key: [] }, { session: [] }],
};

const ACCESS = { ...INGEST_ACCESS, ...API_ACCESS };

/** How the table of access has a route's callers prove who they are. Throws for a route that does not stand there. */
export function securityOf(name: string): Security {
  const access = ACCESS[name];
  if (access === undefined) throw new Error(`${name} stands in no table of access`);
  return SECURITY[access.who];
}

/** Every route of both Workers; `/healthz`, which both have, once. */
export const OPERATIONS: OperationTable = withCommonProblems({
  ...COLLECT_OPERATIONS,
  ...READ_OPERATIONS,
  ...ACCESS_OPERATIONS,
  ...ALERT_OPERATIONS,
  ...OPERATE_OPERATIONS,
});

function withCommonProblems(operations: OperationTable): OperationTable {
  return Object.fromEntries(
    Object.entries(operations).map(([name, operation]) => {
      const common: readonly ProblemCode[] = securityOf(name).length > 0 ? COMMON_PROBLEMS : ["internal_error"];
      const ofQuery: readonly ProblemCode[] = name === "GET /healthz" ? [] : ["unknown_parameter"];
      return [name, { ...operation, problems: [...new Set([...common, ...ofQuery, ...operation.problems])] }];
    }),
  );
}
