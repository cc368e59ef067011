// Copies a language's messages without those of the command's reports, checks, comparisons and notes.
import { readFileSync, writeFileSync } from "node:fs";

const [from, to] = process.argv.slice(2);
const entries = Object.entries(JSON.parse(readFileSync(from, "utf8")));
const kept = entries.filter(([key]) => !/^(check|compare|progress|report|told)\./.test(key));
writeFileSync(to, `${JSON.stringify(Object.fromEntries(kept), null, 2)}\n`);
