import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface Answer {
  readonly status: number;
  readonly hasRetryAfter: boolean;
  /** From the first byte of the request, written on a connection that stands, until the head of the answer is there. */
  readonly tookMs: number;
}

const HEAD_END = "\r\n\r\n";
const LAST_CHUNK = "0\r\n\r\n";

/**
 * A connection of HTTP/1.1 for requests of one form, one after the other, opened again when it was closed. It reads of answers what a flood has to
 * know, and no more: a client for everything costs the sender, which has one of two cores, as much as all else it does.
 */
export class Connection {
  readonly #address: { readonly host: string; readonly port: number };
  readonly #answerMsMax: number;
  #socket: Socket | undefined;

  constructor({ hostname, port }: URL, answerMsMax: number) {
    this.#address = { host: hostname, port: Number(port) };
    this.#answerMsMax = answerMsMax;
  }

  /** Sends a request, head and body, that nobody changes until this resolves: then all of it is sent, or never will be. `undefined` for no answer. */
  async exchange(head: string, body: Buffer): Promise<Answer | undefined> {
    const socket = await this.#open();
    if (socket === undefined) return undefined;
    const { promise: written, resolve: onWritten } = Promise.withResolvers<void>();
    const answer = this.#answer(socket);
    socket.cork();
    socket.write(head, "latin1");
    socket.write(body, () => onWritten());
    socket.uncork();
    const answered = await answer;
    if (answered === undefined) this.close();
    await written;
    return answered;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  async #open(): Promise<Socket | undefined> {
    if (this.#socket !== undefined && !this.#socket.closed && this.#socket.writable) return this.#socket;
    const socket = connect({ ...this.#address, noDelay: true }).setEncoding("latin1");
    // Whoever waits for an answer hears of it by `close`.
    socket.on("error", () => {});
    socket.setTimeout(this.#answerMsMax, () => socket.destroy());
    try {
      await once(socket, "connect");
    } catch {
      return undefined;
    }
    this.#socket = socket;
    return socket;
  }

  #answer(socket: Socket): Promise<Answer | undefined> {
    const beganMs = performance.now();
    return new Promise((resolve) => {
      let text = "";
      let head: Head | undefined;
      let tookMs = 0;
      const end = (answer: Answer | undefined) => {
        socket.off("data", onData).off("close", onClose);
        resolve(answer);
      };
      const onClose = () => end(undefined);
      const onData = (piece: string) => {
        text += piece;
        if (head === undefined) {
          head = headOf(text);
          if (head === undefined) return;
          tookMs = performance.now() - beganMs;
        }
        const isWhole = head.length === undefined ? text.endsWith(LAST_CHUNK) : text.length >= head.length;
        if (isWhole) end({ status: head.status, hasRetryAfter: head.hasRetryAfter, tookMs });
      };
      socket.on("data", onData).on("close", onClose);
    });
  }
}

interface Head {
  readonly status: number;
  readonly hasRetryAfter: boolean;
  /** Of the head and the body; `undefined` for a body in chunks. */
  readonly length: number | undefined;
}

/** What a flood has to know of an answer, `undefined` before its head is whole. */
export function headOf(text: string): Head | undefined {
  const end = text.indexOf(HEAD_END);
  if (end < 0) return undefined;
  const head = text.slice(0, end + HEAD_END.length);
  const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1];
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]),
    hasRetryAfter: /\r\nretry-after: *\d+\r\n/i.test(head),
    length: length === undefined ? undefined : head.length + Number(length),
  };
}
