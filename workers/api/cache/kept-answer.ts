import type { Lifetime } from "./lifetime.ts";

/** An answer as it is sent, and what it takes to know whether it is still right. Plain data: it outlives the request that made it. */
export interface KeptAnswer extends Lifetime {
  readonly merchantId: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
  /** What is sent with it. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Strong, of the body, without quotes; empty where it would be of no use. */
  readonly tag: string;
  /** Corrections up to here were noted before it was begun, so that they are in it. */
  readonly corrected: number;
  /** What the shards said of the span's windows before it was begun; null when they could not be asked, or must be again. */
  readonly mark: string | null;
  /** When it was right at the latest. */
  readonly rightAtMs: number;
}

/** `encode` never makes shared memory, which its type allows for. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text) as Uint8Array<ArrayBuffer>;
}

const encoder = new TextEncoder();

/** The strong tag of a body: half of its SHA-256. */
export async function tagOf(body: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  return digest.subarray(0, TAG_BYTES).reduce((hex, byte) => hex + byte.toString(16).padStart(2, "0"), "");
}

const TAG_BYTES = 16;
