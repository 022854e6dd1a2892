import { setClockAhead } from "./clock.ts";
import { readCounters, resetCounters } from "./counters.ts";

/** What the benchmark itself asks of a Worker; `undefined` for a request that is the Worker's own. */
export async function answerBench(request: Request): Promise<Response | undefined> {
  const { pathname, searchParams } = new URL(request.url);
  switch (pathname) {
    case "/bench/counters":
      return Response.json(readCounters());
    case "/bench/reset":
      resetCounters();
      return new Response(null, { status: 204 });
    case "/bench/clock":
      setClockAhead(Number(searchParams.get("ahead_ms")));
      return new Response(null, { status: 204 });
    default:
      return undefined;
  }
}
