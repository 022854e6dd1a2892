/** Where the body of a dead letter stands in the archive's bucket; without an id, those of a queue. */
export function deadLetterKey(queue: string, messageId = ""): string {
  return `dead/v1/${queue}/${messageId}`;
}
