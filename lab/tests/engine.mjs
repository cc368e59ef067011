// The page's engines in Node, and the same library run natively.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const LAB = join(dirname(fileURLToPath(import.meta.url)), "..");
export const ROOT = join(LAB, "..");
/** The page that `lab/build` has built or `lab/unpack` unpacked. */
export const PAGE = join(LAB, "dist");
if (!existsSync(join(PAGE, "engine.wasm"))) throw new Error("there is no page in lab/dist: run lab/build, or lab/unpack");

/** The command, if it was built. */
export const binary = ["release", "debug"].map((kind) => join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), kind, "pullback")).find(existsSync);

/** What answers a question: the engine that the page asks it of. */
export async function loadEngine() {
  const [explaining, training] = await Promise.all(["engine.wasm", "training.wasm"].map(instantiate));
  return (question, file) => (/^(train_|model$|row$|tensors$)/.test(question.op) ? training : explaining)(question, file);
}

/** One of the engines, before it knows a language. */
export async function instantiateOnly(name) {
  const { instance } = await WebAssembly.instantiate(readFileSync(join(PAGE, name)), {});
  const { memory, room, answer, answered } = instance.exports;
  const ask = (question, file = new Uint8Array()) => {
    const json = new TextEncoder().encode(JSON.stringify(question));
    const at = room(4 + json.length + file.length);
    new DataView(memory.buffer).setUint32(at, json.length, true);
    new Uint8Array(memory.buffer, at + 4, json.length).set(json);
    new Uint8Array(memory.buffer, at + 4 + json.length, file.length).set(file);
    const length = answer();
    const message = memory.buffer.slice(answered(), answered() + length);
    const size = new DataView(message).getUint32(0, true);
    const text = new TextDecoder().decode(new Uint8Array(message, 4, size));
    return { text, json: JSON.parse(text), bits: [...new Uint32Array(message.slice(4 + size))] };
  };
  return ask;
}

async function instantiate(name) {
  const ask = await instantiateOnly(name);
  for (const language of ["en", "ko"]) ask({ op: "learn", language }, readFileSync(join(PAGE, `messages/${language}.json`)));
  return ask;
}

/** Builds what answers questions on this machine as the page's engine does; returns where it is. */
export function buildNative() {
  const build = ["build", "--quiet", "--release", "--package", "pullback-wasm", "--example", "answer"];
  if (spawnSync("cargo", build, { cwd: ROOT, stdio: "inherit" }).status !== 0) throw new Error("cargo build");
  return join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "release/examples/answer");
}

/** The answers of the same library on this machine, to the same questions. */
export function answersNatively(questions) {
  const input = questions.map((question) => JSON.stringify(question)).join("\n");
  const run = spawnSync(buildNative(), [], { input, maxBuffer: 1 << 30, encoding: "utf8" });
  if (run.status !== 0) throw new Error(run.stderr);
  return run.stdout.trim().split("\n").map((line) => JSON.parse(line));
}

/** 100 layers of 64 units. */
export function deepExample() {
  const layer = Array.from({ length: 100 }, (_, at) => ({
    weights: Array.from({ length: at === 99 ? 1 : 64 }, (_, unit) => Array.from({ length: at === 0 ? 2 : 64 }, (_, input) => Math.sin(unit * 7 + input * 13 + at) / 6)),
    activation: "tanh",
  }));
  return { inputs: [0.5, -0.3], targets: [1], layer, learning_rate: 0.1 };
}

/** Numbers from 0 to 1, the same each time (Mulberry32). */
export function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** An example of a dense network, with weights, inputs and targets. */
export function randomState(seed) {
  const next = random(seed);
  const among = (list) => list[Math.floor(next() * list.length)];
  const numbers = (count) => Array.from({ length: count }, () => Math.round((next() * 4 - 2) * 1000) / 1000);
  const units = Array.from({ length: 1 + Math.floor(next() * 3) }, () => 1 + Math.floor(next() * 4));
  const inputs = 1 + Math.floor(next() * 4);
  const rows = 1 + Math.floor(next() * 3);
  let width = inputs;
  const cost = among(["squared_error", "mean_squared_error", "softmax_cross_entropy", "sigmoid_cross_entropy"]);
  const layer = units.map((count, at) => {
    const isLast = at === units.length - 1;
    const weights = Array.from({ length: count }, () => numbers(width));
    width = count;
    const activation =
      isLast && cost.endsWith("entropy") ? "identity" : among(["sigmoid", "tanh", "relu", "gelu", "silu", "softplus"]);
    return { weights, activation, ...(next() < 0.7 ? { biases: numbers(count) } : {}) };
  });
  const target = () => {
    if (cost === "softmax_cross_entropy") {
      const chosen = Math.floor(next() * width);
      return Array.from({ length: width }, (_, unit) => (unit === chosen ? 1 : 0));
    }
    return Array.from({ length: width }, () => Math.round(next()));
  };
  return {
    inputs: Array.from({ length: rows }, () => numbers(inputs)),
    targets: Array.from({ length: rows }, target),
    layer,
    cost,
    learning_rate: 0.1,
    ...(next() < 0.3 ? { l2: 0.01 } : {}),
    ...(next() < 0.3 ? { optimizer: "adam" } : {}),
  };
}
