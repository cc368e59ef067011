// The texts that the library's sources give to errors: what the file of errors in another language must know.
//
// It reads Rust without understanding it: string literals within the parentheses of what makes errors (`Error::...`,
// `.help`, `Err`, `wrong`, ...), and within statements that name what such a call is given (`let what = ...`). Tests of a
// file are left out. What a caller only passes on, and what a macro puts together, it does not see.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./engine.mjs";

/** Where the errors of the page's engines come from. */
const SOURCES = [
  ...["graph", "glass", "wasm"].map((own) => `crates/pullback-${own}/src`),
  ...["choice.rs", "decimal.rs", "data", "explain", "model", "network", "report/number.rs", "train"].map((own) => `crates/pullback/src/${own}`),
];

const CALL = /\b(?:Error::\w+|Refusal::\w+|Err|help|unknown|custom|no_question|ok_or_else|ok_or|map_err|damaged|\w*(?:wrong|refuse|missing|must_be|reject)\w*)\(|\bShapeError \{/g;
const STATEMENT = /\blet (?:mut )?(?:what|help|why|reason|rule|error|wrong|missing|unknown|message|refused)\b[^=;]*=/g;
/** Comments, and texts: raw ones, plain ones, characters. */
const TOKEN = /\/\/[^\n]*|r(#+)"[^]*?"\1|"((?:[^"\\]|\\[^])*)"|'(?:\\[^']+|[^'\\])'/g;

function files(path) {
  if (!statSync(join(ROOT, path)).isDirectory()) return [path];
  const own = readdirSync(join(ROOT, path), { withFileTypes: true }).filter((own) => own.isDirectory() || own.name.endsWith(".rs"));
  return own.flatMap(({ name }) => files(`${path}/${name}`)).sort();
}

/** Where the bracket that `from` opens is closed, or the statement that goes on there ends. */
function end(code, from) {
  let depth = 0;
  for (let at = from; at < code.length; at++) {
    if ("([{".includes(code[at])) depth += 1;
    else if (")]}".includes(code[at])) depth -= 1;
    if (depth < 0 || (depth === 0 && ")]};".includes(code[at]))) return at;
  }
  return code.length;
}

/** A literal as a template: what it says, with `{}` where a value is put in. */
function template(literal) {
  return literal
    .replace(/\\\r?\n\s*/g, "")
    .replace(/\\(["\\'])/g, "$1")
    .replace(/\\n/g, "\n")
    .replace(/\{\{|\}\}|\{\w*(?::[^{}]*)?\}/g, (own) => (own === "{{" || own === "}}" ? own[0] : "{}"));
}

/** What may have a name that is unknown: `optimizer`, of `there is no optimizer`. */
const KIND = /unknown_name\(\s*"([a-z ]+)"|"([a-z ]+)" [A-Z]\w+ as (?:text|table)\b/g;

/** All texts of the sources, those that are given to errors with the file of each, and what names are of. */
export function scanned() {
  const all = new Set();
  const kinds = new Set();
  const errors = new Map();
  for (const file of SOURCES.flatMap(files)) {
    if (/\/tests?(\/|\.rs)/.test(file)) continue;
    const literals = [];
    const source = readFileSync(join(ROOT, file), "utf8");
    for (const [, own, ofList] of source.replace(/\/\/.*$/gm, "").matchAll(KIND)) kinds.add(own ?? ofList);
    // The code with texts and comments blanked.
    let code = source.replace(TOKEN, (own, _, text, at) => {
      if (text !== undefined) literals.push({ at, text: template(text) });
      return " ".repeat(own.length);
    });
    const tests = code.search(/#\[cfg\(test\)\]\s*mod \w+ \{/);
    if (tests >= 0) code = code.slice(0, tests);
    for (const { at, text } of literals) if (at < code.length) all.add(text);
    // All that the file of errors itself says.
    if (file.endsWith("/error.rs")) for (const { at, text } of literals) if (at < code.length) errors.set(text, file);
    const spans = [...code.matchAll(CALL)].map((own) => own.index + own[0].length - 1).concat([...code.matchAll(STATEMENT)].map((own) => own.index + own[0].length));
    for (const from of spans) {
      const to = end(code, from);
      const isOfPanic = (at) => /expect\($/.test(code.slice(0, at).trimEnd());
      for (const { at, text } of literals) if (at > from && at < to && !isOfPanic(at)) errors.set(text, file);
    }
  }
  return { all, errors, kinds };
}
