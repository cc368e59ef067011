// A plain table of text: the separator is the one that the first line has most of; quotes as RFC 4180 has them.

export interface TextTable {
  names: string[];
  rows: string[][];
}

/** The cells of each line that has any. */
export function rowsOf(text: string): string[][] {
  const first = text.replace(/^\uFEFF/, "").split(/\r?\n/, 1)[0] ?? "";
  const counts = [",", ";", "\t", "|"].map((mark): [string, number] => [mark, first.split(mark).length]);
  const mark = counts.reduce((best, own) => (own[1] > best[1] ? own : best))[0];
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let isQuoted = false;
  const source = text.replace(/^\uFEFF/, "");
  for (let at = 0; at < source.length; at++) {
    const letter = source.charAt(at);
    if (isQuoted) {
      if (letter !== '"') cell += letter;
      else if (source.charAt(at + 1) === '"') (cell += '"'), at++;
      else isQuoted = false;
    } else if (letter === '"' && cell.trim() === "") {
      isQuoted = true;
      cell = "";
    } else if (letter === mark) {
      row.push(cell.trim());
      cell = "";
    } else if (letter === "\n") {
      row.push(cell.trim());
      if (row.some((own) => own !== "")) rows.push(row);
      row = [];
      cell = "";
    } else if (letter !== "\r") cell += letter;
  }
  row.push(cell.trim());
  if (row.some((own) => own !== "")) rows.push(row);
  return rows;
}

export function parseTable(text: string): TextTable {
  const [names = [], ...rows] = rowsOf(text);
  return { names, rows };
}
