// The HTML pages of `explain`, as a browser shows them: accessible in both themes, and never wider than a phone.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { launch } from "./browser.mjs";
import { binary } from "./engine.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "pullback-documents-"));
let browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

test("axe finds nothing on the pages of explain, and nothing scrolls sideways", async () => {
  const run = (...words) => execFileSync(binary, words, { cwd: folder, stdio: "pipe" });
  run("train", "iris", "--epochs", "3", "--ensemble", "2", "--out", "iris.safetensors");
  run("train", "digits", "--hidden", "16", "--batch-norm", "--epochs", "1", "--out", "digits.safetensors");
  const pages = [
    ["--example", "mazur"],
    ["--example", "wikidocs", "--lang", "ko"],
    ["--example", "ng", "--notation", "matrix"],
    ["--example", "xor", "--lang", "ko"],
    ["--example", "mazur", "--weight", "w5"],
    ["--expression", "(x + sigmoid(y)) / (sigmoid(x) + (x + y)^2)", "--at", "x=3,y=-4"],
    ["iris.safetensors", "iris", "--row", "3", "--member", "1"],
    ["digits.safetensors", "digits", "--row", "3", "--lang", "ko"],
  ];
  const found = [];
  for (const [at, words] of pages.entries()) {
    const file = join(folder, `${at}.html`);
    run("explain", ...words, "--format", "html", "--out", file);
    for (const colorScheme of ["light", "dark"])
      for (const width of [360, 1280]) {
        const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 }, reducedMotion: "reduce" });
        const page = await context.newPage();
        await page.goto(pathToFileURL(file).href);
        const where = `${words.join(" ")}, ${colorScheme}, ${width}`;
        if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) found.push(`${where}: scrolls sideways`);
        await page.evaluate(AXE);
        const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
        for (const own of violations) found.push(`${where}: ${own.id}: ${own.nodes[0].html.slice(0, 160)}`);
        await context.close();
      }
  }
  assert.deepEqual(found, []);
});
