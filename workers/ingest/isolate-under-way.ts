import { UnderWay } from "./under-way.ts";

const underWay = new UnderWay();

/** This isolate's: one, since a module is loaded once in each. The simulator, whose isolates share a process, has one for each of them. */
export function isolateUnderWay(): UnderWay {
  return underWay;
}
