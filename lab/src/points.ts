// Points of a person's own: which columns of a table are taken, and what is left out.

import { rowsOf } from "./table";

export type Point = [number, number, string];

export interface Sheet {
  name: string;
  columns: string[];
  /** Cells as they stand in the file. */
  rows: string[][];
  /** The columns whose cells are numbers, but for some that are missing. */
  numeric: number[];
}

export interface Chosen {
  x: number;
  y: number;
  target: number;
}

function isNumber(cell: string | undefined): boolean {
  return cell !== undefined && cell !== "" && Number.isFinite(Number(cell));
}

/** Reads a file; null if it has no two columns of numbers and a third one. */
export function read(name: string, text: string): Sheet | null {
  const all = rowsOf(text);
  const head = all[0] ?? [];
  const hasHeader = !head.some((cell) => isNumber(cell));
  const rows = hasHeader ? all.slice(1) : all;
  const columns = head.map((cell, at) => (hasHeader && cell !== "" ? cell : `${at + 1}`));
  const numeric = columns.map((_, at) => at).filter((at) => {
    const given = rows.map((row) => row[at]).filter((cell) => cell !== undefined && cell !== "");
    return given.length > 0 && given.every(isNumber);
  });
  if (columns.length < 3 || numeric.length < 2 || rows.length === 0) return null;
  return { name, columns, rows, numeric };
}

/** The first two columns of numbers, and of the others the last, which is where most files have what they are about. */
export function choice(sheet: Sheet): Chosen {
  const last = sheet.columns.length - 1;
  const distinct = (at: number): number => new Set(sheet.rows.map((row) => row[at])).size;
  const texts = sheet.columns.map((_, at) => at).filter((at) => !sheet.numeric.includes(at) && distinct(at) <= 6);
  const target = texts.at(-1) ?? (distinct(last) <= 6 ? last : (sheet.numeric.find((at) => distinct(at) <= 6) ?? last));
  const [x = 0, y = 1] = sheet.numeric.filter((at) => at !== target);
  return { x, y, target };
}

/** The points of a sheet, and how many rows lack a number or a class. */
export function points(sheet: Sheet, { x, y, target }: Chosen): { points: Point[]; left: number } {
  const found: Point[] = [];
  for (const row of sheet.rows) {
    const name = row[target] ?? "";
    if (isNumber(row[x]) && isNumber(row[y]) && name !== "") found.push([Number(row[x]), Number(row[y]), name]);
  }
  return { points: found, left: sheet.rows.length - found.length };
}
