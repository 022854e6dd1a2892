import { expect, test, vi } from "vitest";
import { EventStream, STALLED_MS_MAX } from "./event-stream.ts";

const WAIT_MS_MAX = 120_000;

function openStream() {
  const state = { value: 0, ends: 0 };
  const stream = new EventStream(
    () => `id-${state.value}`,
    () => void state.ends++,
  );
  const reader = stream.body.getReader();
  const read = async () => {
    const { value, done } = await reader.read();
    return done ? undefined : new TextDecoder().decode(value);
  };
  /** A new state, told under a key. */
  const tell = (key: string, nowMs = 0) => {
    state.value++;
    stream.offer(key, { name: key, data: () => state.value }, nowMs);
  };
  return { state, stream, reader, read, tell };
}

/** Until nothing is being written. */
const written = (stream: EventStream) =>
  vi.waitFor(() => expect(stream.isStalled(Number.POSITIVE_INFINITY)).toBe(false), WAIT_MS_MAX);

test("a reader that is behind gets the latest of each kind, made when it is written, in one piece with the id at its end", async () => {
  const { read, tell } = openStream();
  for (let i = 0; i < 1_000; i++) tell(i % 2 === 0 ? "window" : "today");
  expect(await read()).toBe("event: window\ndata: 1\nid: id-1\n\n");
  const text = await read();
  expect(text).toBe("event: today\ndata: 1000\n\nevent: window\ndata: 1000\nid: id-1000\n\n");
  tell("window");
  expect(await read()).toBe("event: window\ndata: 1001\nid: id-1001\n\n");
});

test("comments are left out while the reader is behind", async () => {
  const { stream, read } = openStream();
  stream.note(": one", 0);
  for (let i = 0; i < 100; i++) stream.note(": more", 0);
  expect(await read()).toBe(": one\n\n");
  await written(stream);
  stream.note(": two", 0);
  expect(await read()).toBe(": two\n\n");
});

test("a reader that takes nothing for too long is noticed, one that has nothing to take is not", async () => {
  const { stream, read, tell } = openStream();
  expect(stream.isStalled(10 * STALLED_MS_MAX)).toBe(false);
  tell("window", 0);
  expect(stream.isStalled(STALLED_MS_MAX)).toBe(false);
  expect(stream.isStalled(STALLED_MS_MAX + 1)).toBe(true);
  await read();
  await written(stream);
});

test("it ends once, whoever ends it, and takes nothing afterwards", async () => {
  for (const end of ["stream", "reader"] as const) {
    const { state, stream, reader, tell } = openStream();
    if (end === "stream") stream.end();
    else await reader.cancel();
    stream.end();
    tell("window");
    expect(state.ends).toBe(1);
  }
});
