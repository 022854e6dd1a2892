import { currentMachine, outside } from "./machine.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Service, Weather } from "./weather.ts";

/** What calls of a service need: time, and the weather between here and there. */
export interface Distance {
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  readonly note: (line: string) => void;
}

/**
 * A call to a service that is elsewhere: it leaves once what its machine wrote is durable, arrives a little later, and so does the
 * answer, unless the machine has crashed meanwhile. `work` happens at one moment. `failure` makes the error of a call that fails.
 */
export async function farCall<T>(
  { scheduler, weather, note }: Distance,
  service: Service,
  work: () => T,
  failure: () => Error = () => new Error(`${service} does not answer`),
): Promise<T> {
  const machine = currentMachine();
  await machine?.durable();
  return await new Promise<T>((resolve, reject) => {
    const fate = weather.fateOf(service);
    if (fate !== "works") note(`${machine?.name ?? "nobody"} calls ${service}: ${fate.replace("_", " ")}`);
    const answer = (settle: () => void) =>
      scheduler.after(weather.latencyMs(service), () => {
        if (machine?.isAlive !== false) settle();
      });
    scheduler.after(weather.latencyMs(service), () => {
      if (fate === "fails") {
        answer(() => reject(failure()));
        return;
      }
      let result: T;
      try {
        result = outside(work);
      } catch (error) {
        answer(() => reject(error));
        return;
      }
      answer(() => (fate === "works" ? resolve(result) : reject(failure())));
    });
  });
}
