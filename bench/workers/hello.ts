import { Hono } from "hono";
import { notFound, problemResponse } from "../../workers/http/problem.ts";
import { requestId, toProblem, type WithRequestId } from "../../workers/http/request-id.ts";

/** As little as an answer can be behind what every route of the api Worker stands behind. */
const app = new Hono<WithRequestId<object>>();
app.use(requestId);
app.notFound((c) => problemResponse(notFound(c.req.path)));
app.onError(toProblem);
app.get("/v1/merchants/:merchant/report", (c) => c.text("hello"));

export default app;
