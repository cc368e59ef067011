// How large and how fast the page is; `node lab/bench.mjs [size] [train] [deep]`, all of them without a name.
//
// size: what a browser loads, compressed as servers compress it (gzip -9).
// train: steps of 2-8-8-1 by the page's engine in this Node and by the same library on this machine, on one thread,
//   asked the same questions, taking turns.
// deep: 100 layers of 64 units in a browser: when the first picture is there, and how long a step of scrubbing takes.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { gzipSync } from "node:zlib";
import { buildNative, deepExample, loadEngine, PAGE } from "./tests/engine.mjs";

const chosen = process.argv.slice(2);
const isChosen = (name) => chosen.length === 0 || chosen.includes(name);
const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

function size() {
  const files = readdirSync(PAGE, { recursive: true, encoding: "utf8" }).filter((name) => statSync(join(PAGE, name)).isFile());
  // Before the first picture; of the languages a visitor loads one.
  const first = ["engine.wasm", "icon.svg", "index.css", "index.html", "index.js", "messages/ko.json"];
  let [whole, before] = [0, 0];
  for (const name of files.sort()) {
    const bytes = readFileSync(join(PAGE, name));
    const compressed = gzipSync(bytes, { level: 9 }).length;
    whole += compressed;
    if (first.includes(name)) before += compressed;
    console.log(`${String(bytes.length).padStart(9)} ${String(compressed).padStart(9)} ${name}`);
  }
  console.log(`${String(before).padStart(19)} bytes compressed, what is loaded first`);
  console.log(`${String(whole).padStart(19)} bytes compressed, all of the page`);
}

async function train() {
  const open = {
    op: "train_open", hidden: [8, 8], activation: "tanh", learning_rate: 0.01, test: 0, seed: 1,
    data: { generated: { set: "moons", points: 300, noise: 0.2, seed: 1 } },
  };
  const page = await loadEngine();
  const native = spawn(buildNative(), { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: native.stdout })[Symbol.asyncIterator]();
  const ask = {
    page: (question) => page(question).json,
    native: async (question) => {
      native.stdin.write(`${JSON.stringify(question)}\n`);
      return JSON.parse((await lines.next()).value)[0];
    },
  };
  const steps = 20_000;
  for (const [optimizer, batch] of [["adam", 16], ["sgd", 16], ["adam", 0]]) {
    const runs = {};
    for (const who of ["page", "native"]) runs[who] = (await ask[who]({ ...open, optimizer, batch })).ok.id;
    const times = { page: [], native: [] };
    for (let turn = 0; turn < 9; turn++)
      for (const who of ["page", "native"]) {
        const start = performance.now();
        await ask[who]({ op: "train_run", id: runs[who], steps });
        times[who].push(performance.now() - start);
      }
    // The first turn compiles and fills caches.
    const [own, other] = [median(times.page.slice(1)), median(times.native.slice(1))];
    const second = (time) => Math.round((1000 * steps) / time).toLocaleString("en-US");
    console.log(
      `2-8-8-1, ${optimizer}, ${batch || "all 300"} examples a step: page ${second(own)} steps/s, native ${second(other)}, ${(other / own).toFixed(2)} of it`,
    );
  }
  native.stdin.end();
}

async function deep() {
  const { launch, open, serve } = await import("./tests/browser.mjs");
  const server = await serve();
  const browser = await launch();
  const [first, work, frames] = [[], [], []];
  for (let turn = 0; turn < 5; turn++) {
    const page = await open(browser, server.url, { reducedMotion: "reduce" });
    first.push(await page.evaluate((text) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([text], "deep.json"));
      const start = performance.now();
      document.querySelector(".step").dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
      return new Promise((done) => {
        const look = () =>
          document.querySelector('[data-id^="spine"]') ? done(performance.now() - start) : requestAnimationFrame(look);
        requestAnimationFrame(look);
      });
    }, JSON.stringify(deepExample())));
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Home");
    const own = await page.evaluate(() => new Promise((done) => {
      const [work, frames] = [[], []];
      let before = 0;
      const step = async (now) => {
        if (before > 0) frames.push(now - before);
        before = now;
        if (work.length === 100) return done({ work, frames });
        requestAnimationFrame(step);
        const start = performance.now();
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
        // The page changes its elements in a microtask; then they are laid out.
        await new Promise((resolve) => setTimeout(resolve));
        void document.body.offsetHeight;
        work.push(performance.now() - start);
      };
      requestAnimationFrame(step);
    }));
    work.push(...own.work);
    frames.push(...own.frames);
    await page.context().close();
  }
  await browser.close();
  server.close();
  const of = (numbers, share) => [...numbers].sort((a, b) => a - b)[Math.floor(share * numbers.length)].toFixed(1);
  console.log(`100 layers of 64: the first picture ${of(first, 0.5)} ms after the file is dropped`);
  console.log(`100 layers of 64: work for a step ${of(work, 0.5)} ms, nine of ten below ${of(work, 0.9)} ms`);
  console.log(`100 layers of 64: scrubbing a step a frame, ${(1000 / (frames.reduce((sum, own) => sum + own) / frames.length)).toFixed(0)} steps a second`);
}

if (isChosen("size")) size();
if (isChosen("train")) await train();
if (isChosen("deep")) await deep();
