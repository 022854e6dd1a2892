/** A longer field means that a quote was never closed. */
const FIELD_CHARS_MAX = 1024 * 1024;

export type CsvRow = { readonly fields: readonly string[]; readonly line: number };

/**
 * The rows of a CSV text (RFC 4180: fields in double quotes may hold commas, newlines and doubled quotes; rows end in LF or CRLF),
 * read as the text arrives. Blank lines are no rows. A row's `line` is the one of the text on which it begins, from 1. Throws, with that line, when the text ends
 * within quotes, or a quote stands where none may.
 */
export async function* csvRows(texts: AsyncIterable<string>): AsyncGenerator<CsvRow> {
  const reader = new CsvReader();
  for await (const text of texts) yield* reader.read(text);
  yield* reader.end();
}

/** The text of bytes in UTF-8, without a byte order mark. Throws where they are none. */
export async function* decoded(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

type State = "field_start" | "plain" | "quoted" | "quote_in_quoted" | "carriage_return";

class CsvReader {
  #state: State = "field_start";
  #field = "";
  #row: string[] = [];
  #line = 1;
  #rowLine = 1;

  /** Rows that are complete with this piece of the text; a piece may end anywhere, even between the quotes of a doubled one. */
  *read(text: string): Generator<CsvRow> {
    // Start of the run of characters that belong to the field as they are.
    let from = 0;
    for (let at = 0; at < text.length; at += 1) {
      const char = text[at];
      if (char === "\n") this.#line += 1;
      if (this.#state === "quoted") {
        if (char !== '"') continue;
        this.#append(text.slice(from, at));
        this.#state = "quote_in_quoted";
        from = at + 1;
      } else if (this.#state === "carriage_return" && char !== "\n") {
        throw this.#error("a carriage return that does not end the row");
      } else if (char === "," || char === "\n" || char === "\r") {
        this.#append(text.slice(from, at));
        from = at + 1;
        if (char === ",") this.#endField();
        else if (char === "\n") yield* this.#endRow();
        else this.#state = "carriage_return";
      } else if (char === '"') {
        if (this.#state === "plain") throw this.#error("a quote within a field that does not begin with one");
        if (this.#state === "quote_in_quoted") this.#append('"');
        this.#state = "quoted";
        from = at + 1;
      } else if (this.#state === "quote_in_quoted") {
        throw this.#error("text after a closing quote");
      } else {
        this.#state = "plain";
      }
    }
    this.#append(text.slice(from));
  }

  *end(): Generator<CsvRow> {
    if (this.#state === "quoted") throw this.#error("a quote that is never closed");
    yield* this.#endRow();
  }

  #append(text: string): void {
    this.#field += text;
    if (this.#field.length > FIELD_CHARS_MAX) throw this.#error("a field without end");
  }

  #endField(): void {
    this.#row.push(this.#field);
    this.#field = "";
    this.#state = "field_start";
  }

  *#endRow(): Generator<CsvRow> {
    const isBlank = this.#row.length === 0 && this.#field === "";
    this.#endField();
    const row = this.#row;
    this.#row = [];
    const line = this.#rowLine;
    this.#rowLine = this.#line;
    if (isBlank) return;
    yield { fields: row, line };
  }

  #error(what: string): Error {
    return new Error(`line ${this.#rowLine}: ${what}`);
  }
}
