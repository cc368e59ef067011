// Copies a WebAssembly file without its custom sections, which hold the names of functions and who built it.
import { chmodSync, readFileSync, writeFileSync } from "node:fs";

const [from, to] = process.argv.slice(2);
const bytes = readFileSync(from);

/** A number in LEB128, and where it ends. */
function number(at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return [value, at];
  }
}

const kept = [bytes.subarray(0, 8)];
for (let at = 8; at < bytes.length; ) {
  const [size, start] = number(at + 1);
  if (bytes[at] !== 0) kept.push(bytes.subarray(at, start + size));
  at = start + size;
}
writeFileSync(to, Buffer.concat(kept));
// A file that was there keeps its mode, and the page is compared with what is checked in by its mode too.
chmodSync(to, 0o644);
