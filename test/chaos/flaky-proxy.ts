import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Random } from "../../scripts/seeded-random.ts";
import { sleep } from "../../scripts/sleep.ts";

/** What happens to connections from now on. */
export type Weather =
  | { readonly kind: "fair" }
  /** Of the new connections, and of the chunks in either direction, this share ends its connection, half of the chunk sent. */
  | { readonly kind: "cutting"; readonly share: number }
  /** Every chunk waits, for up to this long. */
  | { readonly kind: "slow"; readonly delayMsMax: number }
  /** Nothing gets through until the weather changes. */
  | { readonly kind: "stalled" };

/** A proxy of bytes, which knows nothing of what they say: it cuts requests and answers anywhere. */
export interface FlakyProxy {
  /** The target's, through the proxy. */
  readonly url: string;
  /** Connections cut so far. */
  readonly cuts: number;
  setWeather(weather: Weather): void;
  stop(): Promise<void>;
}

/** How often a stalled connection looks up. */
const STALL_POLL_MS = 20;

export async function startFlakyProxy(target: string, random: Random): Promise<FlakyProxy> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  let weather: Weather = { kind: "fair" };
  let cuts = 0;
  const isCut = () => weather.kind === "cutting" && random() < weather.share;

  const relay = async (from: Socket, to: Socket): Promise<void> => {
    try {
      // Not destroyed when it has ended: the other direction may go on.
      for await (const chunk of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        if (isCut()) {
          cuts += 1;
          to.write(chunk.subarray(0, Math.floor(chunk.length / 2)), () => to.destroy());
          from.destroy();
          return;
        }
        if (weather.kind === "slow") await sleep(random() * weather.delayMsMax);
        while (weather.kind === "stalled" && !to.destroyed) await sleep(STALL_POLL_MS);
        if (!to.write(chunk)) await once(to, "drain");
      }
      to.end();
    } catch {
      // Whichever side broke, the other one learns of it as it would without a proxy.
      from.destroy();
      to.destroy();
    }
  };

  const server = createServer({ allowHalfOpen: true }, (near) => {
    if (isCut()) {
      cuts += 1;
      near.destroy();
      return;
    }
    const far = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.setNoDelay(true);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        open.delete(one);
        other.destroy();
      });
    }
    void relay(near, far);
    void relay(far, near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get cuts() {
      return cuts;
    },
    setWeather: (next) => {
      weather = next;
    },
    stop: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}
