// Copies a WebAssembly file so that it compresses well: without its custom sections, which hold the names of functions
// and who built it, and with functions that are alike beside each other. gzip finds again what was within the last
// 32 kB, and the same generic code for two types may be megabytes apart: this is 8 % of the engine.
import { chmodSync, readFileSync, writeFileSync } from "node:fs";

/** How far back gzip finds what was there before: 32 kB, less what stands between functions. */
const WINDOW = 28_000;

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

/** The same number as bytes. */
function leb(value) {
  const own = [];
  for (; value > 127; value = Math.floor(value / 128)) own.push((value % 128) | 128);
  return [...own, value];
}

/** Sections by their number: where they begin and end. */
const sections = new Map();
for (let at = 8; at < bytes.length; ) {
  const [size, start] = number(at + 1);
  sections.set(bytes[at], [start, start + size]);
  at = start + size;
}
for (const unexpected of [2, 8]) {
  if (sections.has(unexpected)) throw Error("the engine imports and starts nothing; if it does, functions count otherwise");
}

/** What stands in a section that is a list: `read` is given where an item begins, and says what it is and where it ends. */
function list(section, read) {
  let [count, at] = number(sections.get(section)[0]);
  return Array.from({ length: count }, () => {
    let item;
    [item, at] = read(at);
    return item;
  });
}

/** Where the next instruction begins, and the index of the function that this one names, if it does. */
function step(at) {
  const skip = (count) => {
    for (; count > 0; count--) at = number(at)[1];
  };
  const op = bytes[at++];
  let names;
  if (op === 0x10 || op === 0x12 || op === 0xd2) {
    names = at;
    skip(1);
  } else if (op === 0x0e) {
    let count;
    [count, at] = number(at);
    skip(count + 1);
  } else if (op === 0x1c) {
    let count;
    [count, at] = number(at);
    at += count;
  } else if (op === 0x11 || op === 0x13) skip(2);
  else if (op >= 0x28 && op <= 0x3e) skip(2);
  else if (op === 0x43) at += 4;
  else if (op === 0x44) at += 8;
  else if ([0x02, 0x03, 0x04, 0x0c, 0x0d, 0x41, 0x42, 0x3f, 0x40, 0xd0].includes(op) || (op >= 0x20 && op <= 0x26)) skip(1);
  else if (op === 0xfc) {
    let kind;
    [kind, at] = number(at);
    if (kind >= 8) skip([8, 10, 12, 14].includes(kind) ? 2 : 1);
  } else if (op === 0xfd) {
    let kind;
    [kind, at] = number(at);
    if (kind <= 11 || kind === 92 || kind === 93) skip(2);
    else if (kind === 12 || kind === 13) at += 16;
    else if (kind >= 21 && kind <= 34) at += 1;
    else if (kind >= 84 && kind <= 91) {
      skip(2);
      at += 1;
    }
  }
  return [at, names];
}

const types = list(3, number);
const bodies = list(10, (at) => {
  const [size, start] = number(at);
  return [[start, start + size], start + size];
});
/** For each function, where the instructions begin and where functions are named. */
const calls = bodies.map(([start, end]) => {
  let [groups, at] = number(start);
  for (; groups > 0; groups--) at = number(at)[1] + 1;
  const named = [];
  while (at < end) {
    const [next, names] = step(at);
    if (names !== undefined) named.push(names);
    at = next;
  }
  if (at !== end) throw Error("a function has an instruction that is not known here");
  return named;
});

/** Some of the runs of six bytes that a function has, by which it is compared: those of the smallest hashes. */
function features([start, end]) {
  const found = new Set();
  for (let at = start; at + 6 <= end; at++) {
    found.add(Math.imul(bytes.readInt32LE(at) ^ Math.imul(bytes.readInt16LE(at + 4), 0x85ebca6b), 0x9e3779b1) >>> 0);
  }
  return [...found].sort((a, b) => a - b).slice(0, 200);
}

/**
 * The functions in their new order: after each the one of which the largest part is in those just before it, as far as
 * gzip looks back, and where there is none, the largest that is left.
 */
function ordered() {
  const own = bodies.map(features);
  const having = new Map();
  own.forEach((all, at) => all.forEach((feature) => (having.get(feature) ?? having.set(feature, []).get(feature)).push(at)));
  const size = (at) => bodies[at][1] - bodies[at][0];
  const largest = bodies.map((_, at) => at).sort((a, b) => size(b) - size(a) || a - b);
  const left = new Set(largest);
  /** How often each feature is in the window, and how many of each function's are in it. */
  const seen = new Map();
  const shared = bodies.map(() => 0);
  const change = (feature, by) => {
    const before = seen.get(feature) ?? 0;
    seen.set(feature, before + by);
    const all = having.get(feature);
    // What everything has says nothing.
    if (all.length >= 400 || Math.min(before, before + by) > 0) return;
    for (const at of all) shared[at] += by;
  };
  const order = [];
  let [first, inside] = [0, 0];
  let current = largest[0];
  while (left.size > 0) {
    order.push(current);
    left.delete(current);
    inside += size(current);
    own[current].forEach((feature) => change(feature, 1));
    for (; inside > WINDOW && first < order.length - 1; first++) {
      inside -= size(order[first]);
      own[order[first]].forEach((feature) => change(feature, -1));
    }
    let [best, most] = [undefined, 0];
    for (const at of left) {
      const part = shared[at] / own[at].length;
      if (part > most || (part === most && part > 0 && at < best)) [best, most] = [at, part];
    }
    current = best ?? largest.find((at) => left.has(at));
  }
  return order;
}

const order = ordered();
const index = new Map(order.map((at, place) => [at, place]));

/** A section's bytes, with the functions that are named at these places by their new numbers. */
function renamed([start, end], places) {
  const parts = [];
  for (const place of places) {
    const [named, after] = number(place);
    parts.push(bytes.subarray(start, place), Buffer.from(leb(index.get(named))));
    start = after;
  }
  return Buffer.concat([...parts, bytes.subarray(start, end)]);
}

/** A list's bytes, each item's own with how long it is before it. */
function sized(bodies) {
  return Buffer.concat([Buffer.from(leb(bodies.length)), ...bodies.flatMap((body) => [Buffer.from(leb(body.length)), body])]);
}

const exported = list(7, (at) => {
  const [length, start] = number(at);
  const kind = start + length;
  return [bytes[kind] === 0 ? [kind + 1] : [], number(kind + 1)[1]];
}).flat();
const elements = list(9, (at) => {
  if (bytes[at] !== 0) throw Error("a table is filled in a way that is not known here");
  // The place where the table is filled from: a constant, and `end`.
  let [count, start] = number(number(at + 2)[1] + 1);
  const named = [];
  for (; count > 0; count--) {
    named.push(start);
    start = number(start)[1];
  }
  return [named, start];
}).flat();

const kept = [bytes.subarray(0, 8)];
for (const [section, range] of sections) {
  if (section === 0) continue;
  let own = bytes.subarray(...range);
  if (section === 3) own = Buffer.from([...leb(types.length), ...order.flatMap((at) => leb(types[at]))]);
  if (section === 7) own = renamed(range, exported);
  if (section === 9) own = renamed(range, elements);
  if (section === 10) own = sized(order.map((at) => renamed(bodies[at], calls[at])));
  kept.push(Buffer.from([section, ...leb(own.length)]), own);
}
writeFileSync(to, Buffer.concat(kept));
// A file that was there keeps its mode, and the page is compared with what is checked in by its mode too.
chmodSync(to, 0o644);
