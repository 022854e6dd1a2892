import { integerBetween, pick, type Random } from "../scripts/seeded-random.ts";
import { ODD_JSON, ODD_KEYS, ODD_TEXTS } from "./odd-values.ts";

/** A part of a document that stands in its text as it is, JSON or not. */
class Raw {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Node = Raw | string | number | boolean | null | Node[] | Entry[];
/** An object is its members in order, so that a key may stand there twice. */
class Entry {
  readonly key: string;
  readonly value: Node;

  constructor(key: string, value: Node) {
    this.key = key;
    this.value = value;
  }
}

/** JSON text of a value with so many things wrong with it; with none it is plain JSON. */
export function mutatedJson(value: unknown, mutations: number, random: Random): string {
  let node = nodeOf(value);
  for (let n = 0; n < mutations; n++) node = mutate(node, random);
  return write(node);
}

function nodeOf(value: unknown): Node {
  if (Array.isArray(value)) return value.map(nodeOf);
  if (typeof value !== "object" || value === null) return value as string | number | boolean | null;
  const entries = Object.entries(value).map(([key, inner]) => new Entry(key, nodeOf(inner)));
  return entries.length === 0 ? new Raw("{}") : entries;
}

/** Changes this node, or goes down to one of those in it. */
function mutate(node: Node, random: Random): Node {
  if (!Array.isArray(node) || node.length === 0 || random() < 0.12) return odd(node, random);
  const at = integerBetween(random, 0, node.length - 1);
  const item = node[at];
  if (item === undefined) return node;
  const [before, after] = [node.slice(0, at), node.slice(at + 1)];
  if (!(item instanceof Entry)) {
    const made = random() < 0.15 ? pick(random, [[], [item, item]]) : [mutate(item, random)];
    return [...before, ...made, ...after] as Node[];
  }
  return [...before, ...changedEntry(item, random), ...after] as Entry[];
}

function changedEntry(entry: Entry, random: Random): Entry[] {
  switch (integerBetween(random, 0, 9)) {
    case 0:
      return [];
    case 1:
      return [entry, new Entry(entry.key, odd(entry.value, random))];
    case 2:
      return [new Entry(pick(random, ODD_KEYS), odd(null, random)), entry];
    case 3:
      return [new Entry(pick(random, ODD_KEYS), entry.value)];
    default:
      return [new Entry(entry.key, mutate(entry.value, random))];
  }
}

function odd(node: Node, random: Random): Node {
  if (typeof node === "string" && random() < 0.5) return pick(random, ODD_TEXTS);
  if (typeof node === "number" && random() < 0.3)
    return pick(random, [-node, node + 0.5, String(node), node * 1e9, node - 1]);
  return new Raw(pick(random, ODD_JSON));
}

function write(node: Node): string {
  if (node instanceof Raw) return node.text;
  if (!Array.isArray(node)) return JSON.stringify(node);
  const [first] = node;
  if (!(first instanceof Entry)) return `[${(node as Node[]).map(write).join(",")}]`;
  return `{${(node as Entry[]).map(({ key, value }) => `${JSON.stringify(key)}:${write(value)}`).join(",")}}`;
}
