/** Does something with each item, so many at a time, and answers in their order. */
export async function eachAtOnce<Item, Answer>(
  items: readonly Item[],
  atOnceMax: number,
  work: (item: Item) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < items.length; at = next++) answers[at] = await work(items[at] as Item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnceMax, items.length) }, worker));
  return answers;
}
