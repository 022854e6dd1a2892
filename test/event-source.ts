import { createParser } from "eventsource-parser";
import { until } from "./system.ts";

export interface ReceivedEvent {
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was sent
  readonly data: any;
  readonly id: string | undefined;
}

/** Reads a stream of server-sent events, as a browser's EventSource would. */
export class EventSourceReader {
  readonly response: Response;
  readonly events: ReceivedEvent[] = [];
  /** Lines that are no part of an event. */
  readonly notes: string[] = [];
  isEnded = false;
  readonly #abort: AbortController;

  private constructor(response: Response, abort: AbortController) {
    this.response = response;
    this.#abort = abort;
    void this.#read().catch(() => {
      this.isEnded = true;
    });
  }

  static async open(
    url: string,
    key: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<EventSourceReader> {
    const abort = new AbortController();
    const response = await fetch(url, {
      headers: { Authorization: `Bearer ${key}`, ...headers },
      signal: abort.signal,
    });
    return new EventSourceReader(response, abort);
  }

  /** The first event from `from` on that satisfies. */
  async find(what: string, satisfies: (event: ReceivedEvent) => boolean, from = 0): Promise<ReceivedEvent> {
    return await until(what, async () => this.events.slice(from).find(satisfies));
  }

  close(): void {
    this.#abort.abort();
  }

  async #read(): Promise<void> {
    const parser = createParser({
      onEvent: ({ event = "message", data, id }) => this.events.push({ name: event, data: JSON.parse(data), id }),
      onComment: (comment) => this.notes.push(`: ${comment}`),
      onRetry: (retryMs) => this.notes.push(`retry: ${retryMs}`),
    });
    const decoder = new TextDecoder();
    for await (const chunk of this.response.body ?? []) parser.feed(decoder.decode(chunk, { stream: true }));
    this.isEnded = true;
  }
}
