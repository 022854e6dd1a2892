import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesOf, countedEvents, reportOf } from "../../shared/report.arbitrary.ts";
import { ReportCounter } from "../../shared/report.ts";
import { counterSections, readCounters } from "./counter-sections.ts";
import { joinSections, SectionReader } from "./sections.ts";

const readerOf = (sections: readonly ArrayBufferView[]) => new SectionReader(joinSections(sections));
const many = { numRuns: 30, endOnFailure: true };

const someEvents =
  fc.sample(
    countedEvents(300).filter(({ length }) => length > 200),
    { numRuns: 1, seed: 1 },
  )[0] ?? [];

describe("counters in a page", () => {
  test("come back as they were, of few events and of more values than a breakdown names, and go on from there", () => {
    fc.assert(
      fc.property(fc.array(countedEvents(400), { maxLength: 4 }), countedEvents(20), (counted, more) => {
        const counters = counted.map((events) => new ReportCounter(reportOf(events)));
        const back = readCounters(readerOf(counterSections(counters)));
        expect(back.map((counter) => bytesOf(counter.report()))).toEqual(counters.map((c) => bytesOf(c.report())));
        for (const counter of [...counters, ...back]) for (const event of more) counter.add(event);
        expect(back.map((counter) => bytesOf(counter.report()))).toEqual(counters.map((c) => bytesOf(c.report())));
      }),
      many,
    );
  });

  test("are refused when any of their columns is shorter or longer than the others", () => {
    const sections = counterSections([new ReportCounter(reportOf(someEvents))]);
    for (let column = 2; column < sections.length; column++) {
      const cut = sections.map((section, at) => (at === column ? withoutLast(section) : section));
      expect(() => readCounters(readerOf(cut))).toThrow();
    }
  });
});

function withoutLast(section: ArrayBufferView): Uint8Array {
  const width = section instanceof Float64Array ? 8 : section instanceof Uint32Array ? 4 : 2;
  return new Uint8Array(section.buffer, section.byteOffset, section.byteLength - width);
}
