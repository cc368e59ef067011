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

/** Whether a cell is a number that training, which is done in 32 bits, can take. */
function isNumber(cell: string | undefined): boolean {
  return cell !== undefined && cell !== "" && Number.isFinite(Math.fround(Number(cell)));
}

/** The most classes that have a color, and the most points that a page trains on sixty times a second. */
export const MOST_CLASSES = 6;
export const MOST_POINTS = 3000;

/** Whether there are two columns of numbers and a third one. */
export function isUsable({ columns, numeric, rows }: Sheet): boolean {
  return columns.length >= 3 && numeric.length >= 2 && rows.length > 0;
}

/** Reads a file. */
export function read(name: string, text: string): Sheet {
  const all = rowsOf(text);
  // Where cells are separated otherwise, a comma is that of a decimal fraction.
  if (!(text.split("\n", 1)[0] ?? "").includes(","))
    for (const row of all) row.forEach((cell, at) => /^-?\d+,\d+$/.test(cell) && (row[at] = cell.replace(",", ".")));
  const head = all[0] ?? [];
  const hasHeader = !head.some((cell) => isNumber(cell));
  const rows = hasHeader ? all.slice(1) : all;
  const columns = head.map((cell, at) => (hasHeader && cell !== "" ? cell : `${at + 1}`));
  const numeric = columns.map((_, at) => at).filter((at) => {
    const given = rows.map((row) => row[at]).filter((cell) => cell !== undefined && cell !== "");
    return given.length > 0 && given.every(isNumber);
  });
  return { name, columns, rows, numeric };
}

/** The first two columns of numbers, and of the others the last, which is where most files have what they are about. */
export function choice(sheet: Sheet): Chosen {
  const last = sheet.columns.length - 1;
  const distinct = (at: number): number => new Set(sheet.rows.map((row) => row[at])).size;
  const isFew = (at: number): boolean => distinct(at) <= MOST_CLASSES;
  const texts = sheet.columns.map((_, at) => at).filter((at) => !sheet.numeric.includes(at));
  // With two columns of numbers only, both are where the points are.
  const numeric = sheet.numeric.length > 2 ? sheet.numeric.toReversed() : [];
  const target = texts.findLast(isFew) ?? (isFew(last) ? last : (numeric.find(isFew) ?? texts.at(-1) ?? last));
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

/** So many of a list at most, evenly spread: a file may be sorted by class. */
export function spread<T>(list: T[], most: number): T[] {
  const part = (at: number): number => Math.floor((at * most) / list.length);
  return list.length <= most ? list : list.filter((_, at) => part(at) !== part(at + 1));
}
