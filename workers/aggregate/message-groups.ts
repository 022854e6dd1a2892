/**
 * Messages in their order, in groups whose bodies take at most `bytesMax` together, or of one that takes more by itself. A queue hands
 * over a hundred messages whatever their size: after an outage all are full, and unpacked at once they would not fit an isolate's
 * 128 MB, so that the whole backlog would end as dead letters.
 */
export function messageGroups(messages: readonly Message[], bytesMax: number): Message[][] {
  const groups: Message[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const message of messages) {
    const length = bodyBytes(message.body);
    if (bytes + length > bytesMax) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(message);
    bytes += length;
  }
  return groups;
}

function bodyBytes(body: unknown): number {
  return body instanceof ArrayBuffer || ArrayBuffer.isView(body) ? body.byteLength : 0;
}
