// Questions, the story, lessons, and the page inside another.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { before, test } from "node:test";
import { browser, inBrowser, open, server } from "./browser.mjs";
import { loadEngine } from "./engine.mjs";

let engine;
inBrowser();
before(async () => {
  engine = await loadEngine();
});

const ask = (question) => engine(question).json.ok;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

async function violations(page) {
  await page.evaluate(AXE);
  const { violations: found } = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
  return found.map((own) => `${own.id}: ${own.nodes[0].html.slice(0, 160)}`);
}

/** The right number, by the engine's own answer to the question. */
function right(id, question) {
  const { text } = ask({ op: "reveal", id, question });
  return Number(/(-?[\d.]+(?:e-?\d+)?)\.$/.exec(text)[1]);
}

test("nothing that is covered can be read from the page, and answers get their explanations", async () => {
  let compared = 0;
  for (const example of ["mazur", "ng", "circuit"]) {
    const { id, kind } = ask({ op: "open", example, digits: 6 });
    const questions = ask({ op: "questions", id, seed: 1 });
    const page = await open(browser, `${server.url}#view=${kind === "formula" ? "formula" : "step"}&example=${example}&ask=1`, { reducedMotion: "reduce" });
    for (const question of questions) {
      await page.waitForSelector(".asking .ask");
      const shown = (await page.locator(".asking .ask").innerText()).replaceAll("\u2060", "");
      assert.equal(shown, ask({ op: "question", id, question }).text);
      const html = await page.evaluate(() => document.body.outerHTML);
      if (question.startsWith("number")) {
        const number = right(id, question);
        // Numbers that the picture shows for another reason tell nothing.
        const others = ask({ op: "question", id, question }).scene.shapes.map((shape) => shape.number);
        const text = String(Number(number.toPrecision(4)));
        if (text.length > 5 && !others.some((other) => other !== undefined && Math.abs(other - number) < 1e-3 * Math.abs(number))) {
          assert.ok(!new RegExp(`(?<![-\\d.])${text.replace(".", "\\.")}`).test(html), `${question}: ${text}`);
          compared += 1;
        }
        await page.locator(".asking input").fill(String(-number * 3 - 1));
        await page.keyboard.press("Enter");
        await page.waitForSelector(".told");
        assert.ok(!(await page.locator(".told").getAttribute("class")).includes("right"));
        await page.locator(".asking input").fill(String(number));
        await page.keyboard.press("Enter");
        await page.waitForSelector(".told.right");
      } else {
        await page.locator(".asking form .row button").first().click();
        await page.waitForSelector(".told");
      }
      await page.locator(".asking footer button").first().click();
    }
    assert.deepEqual(page.errors, []);
    await page.context().close();
  }
  assert.ok(compared > 8, `${compared}`);
});

test("a mistake is named, and the score stays", async () => {
  const page = await open(browser, `${server.url}#view=step&example=mazur&ask=1`, { reducedMotion: "reduce" });
  while (!(await page.locator(".asking input").count()) || !(await page.locator(".asking .ask").innerText()).includes("delta_o")) {
    await page.locator(".asking footer button").first().click();
    await page.waitForTimeout(30);
  }
  const unit = (await page.locator(".asking .ask").innerText()).includes("o1") ? 0 : 1;
  // The slope is forgotten: the output less its target.
  await page.locator(".asking input").fill(["0.741365", "-0.217072"][unit]);
  await page.keyboard.press("Enter");
  assert.match(await page.locator(".told").innerText(), /without the slope/);
  assert.match(await page.locator(".score").innerText(), /0 of 1/);
  await page.reload();
  await page.waitForSelector(".score");
  assert.match(await page.locator(".score").innerText(), /0 of 1/);
  for (const special of await page.locator(".specials button").all()) {
    await special.click();
    await page.waitForSelector(".asking .ask");
    assert.deepEqual(page.errors, []);
  }
  assert.deepEqual(await violations(page), []);
  await page.context().close();
});

test("the story has ten chapters, each with a question that the engine checks", async () => {
  for (const [language, width, colorScheme] of [["en", 1440, "light"], ["ko", 360, "dark"]]) {
    const page = await open(browser, `${server.url}#view=story&lang=${language}`, { width, colorScheme, reducedMotion: "reduce", bypassCSP: true });
    for (let chapter = 1; chapter <= 10; chapter++) {
      await page.waitForFunction((number) => location.hash.includes(`chapter=${number}`) || number === 1, chapter);
      await page.waitForSelector(".story .do");
      assert.deepEqual(await violations(page), [], `chapter ${chapter}`);
      assert.ok(!(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)), `chapter ${chapter} scrolls sideways`);
      assert.ok((await page.locator(".do :is(button, input)").count()) > 0, "there is something to do");
      await page.locator(".turn .big").click();
      for (let more = true; more; ) {
        await page.waitForSelector(".question form");
        if (await page.locator(".question form input").count()) {
          await page.locator(".question form input").fill("1e30");
          await page.keyboard.press("Enter");
          await page.locator(".question form .row button").last().click();
        } else {
          await page.locator(".question form .row button").first().click();
        }
        await page.waitForSelector(".told");
        more = (await page.locator(".turn .main").count()) > 0;
        if (more) await page.locator(".turn .main").click();
      }
      assert.deepEqual(await violations(page), [], `the question of chapter ${chapter}`);
      if (chapter < 10) await page.locator(".story footer button").last().click();
    }
    assert.deepEqual(page.errors, []);
    await page.reload();
    await page.waitForSelector(".story");
    assert.equal(await page.locator(".mark.done").count(), 10, "progress is kept");
    await page.context().close();
  }
});

test("a lesson is walked by keys, with its numbers covered and its notes in another window", async () => {
  const page = await open(browser, `${server.url}?lesson=lessons/back-propagation.toml#view=lesson`, { reducedMotion: "reduce" });
  await page.waitForSelector(".lesson article");
  for (let step = 1; step <= 3; step++) await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => document.querySelector(".lesson h2").textContent === "A gradient");
  const html = await page.evaluate(() => document.querySelector("main").outerHTML);
  assert.ok(!html.includes("0.0822") && !html.includes("0.08217"), "the gradient is covered");
  assert.ok(!html.includes("Draw both"), "notes are not for learners");
  const [notes] = await Promise.all([page.context().waitForEvent("page"), page.getByRole("button", { name: "Notes in a window" }).click()]);
  await notes.waitForSelector(".notes-window h2");
  await notes.locator(".main").click();
  await page.waitForFunction(() => document.querySelector(".lesson h2").textContent === "Two paths");
  await notes.waitForFunction(() => document.querySelector(".notes").textContent.includes("Draw both"));
  await page.evaluate(() => (window.print = () => (window.sheet = document.querySelector(".sheet").textContent)));
  await page.getByRole("button", { name: "Print the worksheet" }).click();
  await page.waitForFunction(() => window.sheet);
  assert.ok(!(await page.evaluate(() => window.sheet)).includes("0.1385."), "a worksheet has no answers");
  await page.evaluate(() => (window.sheet = ""));
  await page.getByRole("button", { name: "Print the key" }).click();
  await page.waitForFunction(() => window.sheet);
  assert.ok((await page.evaluate(() => window.sheet)).includes("delta_o1 = 0.1385."), "a key has them");
  await page.getByRole("button", { name: "QR code" }).click();
  await page.waitForSelector("dialog[open] path");
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test("a wrong lesson says in which line", async () => {
  const page = await open(browser, `${server.url}#view=lesson`);
  await page.locator('input[type="file"]').setInputFiles({ name: "own.toml", mimeType: "text/plain", buffer: Buffer.from('title = "t"\n[[step]]\nexample = "mazurr"\n') });
  await page.waitForSelector(".problem");
  assert.match(await page.locator(".problem").innerText(), /own\.toml.*line 3.*mazur/s);
  assert.deepEqual(await violations(page), []);
  await page.context().close();
});

test("a page around it drives it, and is told where it is", async () => {
  const context = await browser.newContext({ reducedMotion: "reduce" });
  const page = await context.newPage();
  await page.goto(`${server.url}embed.html`);
  const where = (text) => page.waitForFunction((own) => document.getElementById("where").textContent === own, text, { timeout: 20_000 });
  await where("6 / 20");
  await page.click("#next");
  await where("7 / 20");
  await page.click("#back");
  await where("6 / 20");
  await page.click("#end");
  await where("20 / 20");
  await context.close();
});
