// What the page promises: the first key, stepping, the keyboard, words, access, commands.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { browser, inBrowser, open, server } from "./browser.mjs";
import { binary, deepExample, loadEngine, PAGE } from "./engine.mjs";

inBrowser();

const state = (page) =>
  page.evaluate(() => [...document.querySelectorAll("main svg [data-id]")].map((shape) => `${shape.dataset.id}|${[...shape.classList].filter((name) => !name.startsWith("svelte-")).sort().join(" ")}|${shape.textContent}`).join("\n"));
const sentence = (page) => page.locator(".sentence").innerText();

test("one key sends the error back, and every weight has its gradient", async () => {
  const page = await open(browser, server.url);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".question", { timeout: 20_000 });
  const shown = await page.evaluate(() =>
    Object.fromEntries([...document.querySelectorAll('[data-id^="gradient."]')].map((shape) => [shape.dataset.id, Number(shape.textContent)])),
  );
  assert.ok(binary, "build the command first");
  const document = JSON.parse(execFileSync(binary, ["explain", "--example", "mazur", "--format", "json"]));
  let compared = 0;
  for (const layer of document.layers)
    layer.weight_gradient.forEach((gradient, at) => {
      const id = `gradient.${layer.layer}.${Math.floor(at / layer.inputs)}.${at % layer.inputs}`;
      assert.ok(Math.abs(shown[id] - gradient) <= 5e-4 * Math.abs(gradient), `${id}: ${shown[id]}, ${gradient}`);
      compared += 1;
    });
  assert.equal(compared, 8);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test("as many steps back as forward lead to the same picture", async () => {
  const page = await open(browser, `${server.url}#example=mazur&level=term&at=0`, { reducedMotion: "reduce" });
  const seen = [];
  for (let step = 0; step < 24; step++) {
    seen.push(await state(page));
    await page.keyboard.press("ArrowRight");
    await page.waitForTimeout(30);
  }
  assert.ok(new Set(seen).size > 15, "the picture changes");
  for (let step = 23; step >= 0; step--) {
    await page.keyboard.press("ArrowLeft");
    await page.waitForTimeout(10);
    assert.equal(await state(page), seen[step], `step ${step}`);
  }
  await page.context().close();
});

test("the keyboard alone reaches every number of the picture", async () => {
  const page = await open(browser, `${server.url}#example=wikidocs&level=unit&at=12`, { reducedMotion: "reduce" });
  const all = await page.evaluate(() => [...document.querySelectorAll("main svg [tabindex]")].map((shape) => shape.dataset.id));
  await page.locator('main svg [tabindex="0"]').first().focus();
  const reached = new Set();
  const tried = new Set();
  // A walk in all four directions from all that is reached.
  const waiting = [await page.evaluate(() => document.activeElement.dataset.id)];
  while (waiting.length > 0) {
    const from = waiting.pop();
    reached.add(from);
    for (const key of ["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp"]) {
      if (tried.has(`${from}.${key}`)) continue;
      tried.add(`${from}.${key}`);
      await page.evaluate((id) => document.querySelector(`[data-id="${id}"]`).focus(), from);
      await page.keyboard.press(key);
      const to = await page.evaluate(() => document.activeElement.dataset.id);
      if (to && !reached.has(to) && !waiting.includes(to)) waiting.push(to);
    }
  }
  assert.deepEqual(all.filter((id) => !reached.has(id)), []);
  const names = await page.evaluate(() => [...document.querySelectorAll("main svg [tabindex]")].map((shape) => shape.getAttribute("aria-label")));
  assert.ok(names.every((name) => name && name.length > 3));
  await page.context().close();
});

test("what is announced is what the steps say", async () => {
  const ask = await loadEngine();
  for (const [language, example] of [["en", "mazur"], ["ko", "wikidocs"], ["en", "micrograd"]]) {
    const { id, kind } = ask({ op: "open", example, digits: 6, language }).json.ok;
    const { steps } = ask({ op: "steps", id, level: "unit" }).json.ok;
    const page = await open(browser, `${server.url}#lang=${language}&view=${kind === "formula" ? "formula" : "step"}&example=${example}&level=unit&at=0`, { reducedMotion: "reduce" });
    for (let at = 0; at < steps.length; at++) {
      const expected = ask({ op: "scene", id, level: "unit", at, language }).json.ok.sentence;
      assert.equal(await sentence(page), expected.replaceAll("\u00a0", " "), `${example} ${at}`);
      assert.equal(await page.locator(".sentence").getAttribute("aria-live"), "polite");
      await page.keyboard.press("ArrowRight");
      await page.waitForTimeout(40);
    }
    await page.context().close();
  }
});

test("the copied command prints the numbers on screen", async () => {
  assert.ok(binary, "build the command first");
  for (const hash of ["#example=mazur&level=unit&at=3", "#view=formula&example=circuit&level=unit&at=1"]) {
    for (const isChanged of [false, true]) {
      const page = await open(browser, server.url + hash, { permissions: ["clipboard-read", "clipboard-write"], reducedMotion: "reduce" });
      if (isChanged) {
        if (hash.includes("formula")) await page.locator(".own input").first().fill("1.5");
        else {
          await page.getByRole("button", { name: "Edit" }).click();
          await page.locator(".weights input").first().fill("0.77");
        }
        await page.keyboard.press("Tab");
        await page.keyboard.press("Home");
      }
      const at = 3;
      await page.evaluate(() => document.activeElement?.blur());
      await page.keyboard.press("Home");
      for (let step = 0; step < at; step++) {
        await page.keyboard.press("ArrowRight");
        await page.waitForTimeout(40);
      }
      const shown = (await page.locator(".sentence").innerText()).replace(/\s+/g, " ");
      await page.getByRole("button", { name: "Take away" }).click();
      await page.getByRole("button", { name: "Copy the command" }).click();
      const command = await page.evaluate(() => navigator.clipboard.readText());
      const printed = execFileSync("bash", ["-c", command.replace(/^pullback/, binary)], { encoding: "utf8", env: { ...process.env, COLUMNS: "400" } });
      assert.ok(printed.replace(/\s+/g, " ").includes(shown), `${command}\nprints no "${shown}":\n${printed.slice(0, 800)}`);
      await page.context().close();
    }
  }
});

const VIEWS = ["step", "step&ask=1", "formula", "train", "race", "model", "story", "lesson"];

test("the Korean page has no Latin word but names", async () => {
  // Names of functions and files, symbols of the notation, names of keys and formats, people's names.
  const ALLOWED = /^(en|English|TOML|JSON|SVG|CSV|L2|XOR|XNOR|ReLU|GPU|E|C|[a-z]{1,3}\d*('|_\w+)?|d\w+\/d\w+|net_\w+|out_\w+|delta_\w+|target_\w+|E_\w+|exp|sigmoid|tanh|relu|leaky_relu|gelu|silu|softplus|identity|squared_error|mean_squared_error|softmax_cross_entropy|sigmoid_cross_entropy|momentum|adam|adamw|sgd|rmsprop|nesterov)$/;
  for (const view of VIEWS) {
    const page = await open(browser, `${server.url}#lang=ko&view=${view}`, { locale: "ko-KR" });
    if (view === "step") await page.getByRole("button", { name: "고치기" }).click();
    const text = await page.evaluate(() => {
      const parts = [document.title];
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        const own = walker.currentNode.parentElement;
        if (!own.closest("script, style, .formula, [lang=en], option[value='']")) parts.push(walker.currentNode.data);
      }
      for (const own of document.querySelectorAll("[aria-label]")) parts.push(own.getAttribute("aria-label"));
      return parts.join(" ");
    });
    const words = [...new Set(text.match(/[A-Za-z][A-Za-z0-9_'/]*/g) ?? [])].filter((word) => !ALLOWED.test(word));
    assert.deepEqual(words, [], view);
    await page.context().close();
  }
});

test("axe finds nothing, nothing scrolls sideways, no error is logged", async () => {
  const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  const found = [];
  for (const view of VIEWS)
    for (const colorScheme of ["light", "dark"])
      for (const language of ["en", "ko"])
        for (const width of [1440, 768, 360]) {
          const page = await open(browser, `${server.url}#lang=${language}&view=${view}`, { width, colorScheme, reducedMotion: "reduce", bypassCSP: true });
          await page.waitForTimeout(150);
          const where = `${view} ${colorScheme} ${language} ${width}`;
          if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) found.push(`${where}: scrolls sideways`);
          const running = await page.evaluate(() => document.getAnimations().filter((own) => own.playState === "running").length);
          if (running > 0) found.push(`${where}: ${running} animations run although motion is reduced`);
          if (language === "en" || width === 360) {
            await page.evaluate(axe);
            const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
            for (const own of violations) found.push(`${where}: ${own.id}: ${own.nodes[0].html.slice(0, 160)}`);
          }
          for (const error of page.errors) found.push(`${where}: ${error}`);
          await page.context().close();
        }
  assert.deepEqual([...new Set(found)], []);
});

/** Drops a file onto what is on screen. */
const drop = (page, where, name, text) =>
  page.evaluate(
    ([where, name, text]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([text], name));
      document.querySelector(where).dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
    },
    [where, name, text],
  );

/** Of all drawings, texts that are too small to be read on a telephone, and texts of units and costs that meet. */
const unreadable = (page) =>
  page.evaluate(() => {
    const found = [];
    for (const text of document.querySelectorAll("main svg text")) {
      const matrix = text.getScreenCTM();
      const size = Number.parseFloat(getComputedStyle(text).fontSize) * Math.sqrt(Math.abs(matrix.a * matrix.d - matrix.b * matrix.c));
      // Positions are rounded to tenths.
      if (text.textContent.trim() !== "" && size < 10.95) found.push(`${text.textContent}: ${size.toFixed(1)} px`);
    }
    const kinds = "input unit activation sum delta target prediction cost value caption variable gate derivative".split(" ");
    for (const svg of document.querySelectorAll("main svg")) {
      const all = [...svg.querySelectorAll("[data-id]")].filter((own) => kinds.some((kind) => own.classList.contains(kind)));
      const texts = all.filter((own) => own.querySelector("text")).map((own) => [own.dataset.id, own.querySelector("text").getBBox()]);
      texts.forEach(([name, own], at) => {
        for (const [other, area] of texts.slice(at + 1)) {
          // A line of text is higher than its letters.
          const [high, low] = [0.25 * Math.min(own.height, area.height), 0.5];
          const isBeside = own.x + low >= area.x + area.width || area.x + low >= own.x + own.width || own.y + high >= area.y + area.height || area.y + high >= own.y + own.height;
          if (!isBeside) found.push(`${name} and ${other} overlap`);
        }
      });
    }
    return found;
  });

test("on a telephone, what is written in drawings can be read, and nothing lies on another", async () => {
  const layers = (count, units) => Array.from({ length: count }, () => ({ units, activation: "sigmoid" }));
  const wide = { seed: 3, inputs: [0.3, -0.6], targets: [1, 0], learning_rate: 0.5, cost: "squared_error", layer: [...layers(5, 8), { units: 2, activation: "sigmoid" }] };
  const cases = [
    ["#view=step&example=mazur&level=unit", null],
    ["#view=step&example=wikidocs&level=unit&at=9", null],
    ["#view=step", wide],
    ["#view=step", deepExample()],
    ...["step&ask=1", "formula", "train", "race", "model", "lesson", ...Array.from({ length: 10 }, (_, at) => `story&chapter=${at + 1}`)].map((view) => [`#view=${view}`, null]),
  ];
  const found = [];
  for (const [hash, example] of cases)
    for (const [language, colorScheme] of [["en", "light"], ["ko", "dark"]]) {
      const page = await open(browser, `${server.url}${hash}&lang=${language}`, { width: 360, height: 780, colorScheme, reducedMotion: "reduce" });
      const where = `${hash} ${example?.layer.length ?? ""} ${language}`;
      if (example) {
        await drop(page, ".step", "own.json", JSON.stringify(example));
        await page.waitForFunction((count) => document.querySelectorAll("main svg .spine, main svg .unit").length >= count, 40, { timeout: 60_000 });
      }
      await page.waitForTimeout(300);
      for (const key of hash.includes("step") && !hash.includes("ask") ? ["", "End", "ArrowLeft", "Home"] : [""]) {
        if (key) await page.keyboard.press(key);
        await page.waitForTimeout(80);
        for (const own of await unreadable(page)) found.push(`${where} ${key}: ${own}`);
        if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) found.push(`${where}: scrolls sideways`);
      }
      assert.deepEqual(page.errors, []);
      await page.context().close();
    }
  assert.deepEqual([...new Set(found)], []);
});

test("of a drawing that is wider than the screen, what the step works on is seen", async () => {
  const page = await open(browser, `${server.url}#view=step&example=mazur&level=unit&at=0`, { width: 360, height: 780, reducedMotion: "reduce" });
  const isSeen = () =>
    page.evaluate(() => {
      const pan = document.querySelector("main .pan").getBoundingClientRect();
      return [...document.querySelectorAll("main .pan .unit.active, main .pan .cost.active")].every((own) => {
        const area = own.getBoundingClientRect();
        return area.left >= pan.left - 1 && area.right <= pan.right + 1;
      });
    });
  for (let step = 0; step < 12; step++) {
    assert.ok(await isSeen(), `step ${step}`);
    await page.keyboard.press("ArrowRight");
    await page.waitForTimeout(80);
  }
  await page.context().close();
});

test("where to begin is on the first screen, of a telephone too", async () => {
  for (const [width, height] of [[360, 640], [390, 844], [768, 1024], [1440, 900]]) {
    const page = await open(browser, server.url, { width, height, reducedMotion: "reduce" });
    const box = await page.locator("button.big").boundingBox();
    assert.ok(box && box.y >= 0 && box.y + box.height <= height, `${width} x ${height}: the button is at ${JSON.stringify(box)}`);
    await page.locator("button.big").click();
    assert.equal(await page.locator("button.big").count(), 0);
    await page.context().close();
  }
});

test("on a telephone the question is below the picture that it is about, and nothing covers either", async () => {
  const page = await open(browser, `${server.url}#lang=en`, { width: 360, height: 740, hasTouch: true, isMobile: true, reducedMotion: "reduce" });
  const box = (selector) => page.locator(selector).first().boundingBox();
  const overlap = (a, b) => a.y < b.y + b.height - 1 && b.y < a.y + a.height - 1;
  assert.ok(!overlap(await box("button.big"), await box(".words")), "the button covers what is said");
  await page.getByRole("button", { name: "Edit" }).tap();
  assert.ok(!overlap(await box("button.big"), await box(".edit")), "the button covers what is edited");
  await page.getByRole("button", { name: "Edit" }).tap();
  await page.locator("button.big").tap();
  await page.waitForSelector(".question", { timeout: 20_000 });
  await page.locator("[data-id='gradient.1.0.0']").tap();
  await page.waitForSelector(".answer");
  await page.waitForTimeout(300);
  for (const selector of [".pan", ".question", ".answer"]) {
    const { y, height } = await box(selector);
    assert.ok(y >= 0 && y + height <= 740, `${selector}: ${y}, ${height}`);
  }
  assert.equal(await page.locator(".panel").count(), 0, "whoever chooses again needs the picture");
  await page.locator("[data-id='gradient.2.0.1']").tap();
  await page.waitForSelector(".panel");
  await page.context().close();
});

test("what a question is about is written in the picture, on a telephone too", async () => {
  for (const hash of ["#view=story&chapter=1", "#view=step&ask=1&example=mazur"]) {
    const numbers = [];
    for (const width of [1440, 600, 360]) {
      const page = await open(browser, `${server.url}${hash}&lang=en`, { width, reducedMotion: "reduce" });
      if (hash.includes("story")) await page.getByRole("button", { name: "Now a question" }).click();
      await page.waitForSelector(".question .pan");
      await page.waitForTimeout(200);
      numbers.push((await page.evaluate(() => [...document.querySelectorAll(".question .weight, .question .bias")].map((own) => own.textContent.trim()))).sort());
      await page.context().close();
    }
    assert.deepEqual(numbers[1], numbers[0], hash);
    assert.deepEqual(numbers[2], numbers[0], hash);
  }
});

test("a network that grows in the story keeps its moment", async () => {
  const page = await open(browser, `${server.url}#view=story&chapter=9&lang=en`, { reducedMotion: "reduce" });
  await page.locator(".do input").first().focus();
  for (let layers = 0; layers < 3; layers++) await page.keyboard.press("ArrowRight");
  assert.match(await page.locator("main svg .cost.value").first().textContent(), /0\.\d/);
  await page.context().close();
});

test("the theme is the device's or one's own, on canvases and before anything is drawn, and paper is light", async () => {
  const page = await open(browser, `${server.url}#view=train&lang=en`, { colorScheme: "dark", reducedMotion: "reduce" });
  await page.waitForFunction(() => document.querySelectorAll(".unit canvas").length > 0);
  /** How light the ground and a corner of the plane are. */
  const lights = () =>
    page.evaluate(() => {
      const light = (own) => own.reduce((sum, part) => sum + part, 0) / 3;
      const plane = document.querySelector(".plane canvas");
      return [
        light(getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number)),
        light([...plane.getContext("2d").getImageData(0, 0, 1, 1).data].slice(0, 3)),
      ];
    });
  const check = async (isDark, where) => {
    await page.waitForTimeout(200);
    for (const light of await lights()) assert.equal(light < 128, isDark, `${where}: ${light}`);
  };
  await check(true, "the device is dark");
  await page.emulateMedia({ media: "print" });
  await check(false, "paper");
  await page.emulateMedia({ media: "screen", colorScheme: "light" });
  await check(false, "the device is light");
  for (const isDark of [false, true]) {
    await page.locator(".settings button").nth(1).click();
    await check(isDark, `chosen, ${isDark ? "dark" : "light"}`);
  }
  await page.emulateMedia({ media: "screen", colorScheme: "light" });
  // The engine is not there yet, and the theme is.
  await page.route("**/engine.wasm", () => {});
  await page.reload({ waitUntil: "domcontentloaded" });
  await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
  await page.context().close();
});

test("the arrows of the steps have the color of what is written", async () => {
  const page = await open(browser, server.url);
  const colors = await page.evaluate(() => [...document.querySelectorAll(".moves svg")].map((own) => getComputedStyle(own).color));
  assert.deepEqual(new Set(colors).size, 1, colors.join());
  await page.context().close();
});

test("a lesson of one's own is in the address, or the page says why not", async () => {
  const text = readFileSync(join(PAGE, "lessons/back-propagation.toml"), "utf8").replace(/^title = .*/m, 'title = "A lesson of mine"');
  const page = await open(browser, `${server.url}#view=lesson&lang=en`, { reducedMotion: "reduce" });
  await drop(page, ".lesson", "mine.toml", text);
  await page.waitForSelector("article h2");
  await page.keyboard.press("ArrowRight");
  await page.waitForTimeout(500);
  const shown = (own) => own.evaluate(() => document.querySelector("article header").innerText);
  const before = await shown(page);
  assert.match(before, /A lesson of mine · Step 2/);
  const hash = await page.evaluate(() => location.hash);
  const other = await open(browser, server.url + hash, { reducedMotion: "reduce" });
  await other.waitForSelector("article h2");
  assert.equal(await shown(other), before);
  await other.waitForTimeout(500);
  assert.equal(await other.evaluate(() => location.hash), hash);
  await page.reload();
  await page.waitForSelector("article h2");
  assert.equal(await shown(page), before);
  // Noise cannot be deflated.
  const noise = Array.from({ length: 20_000 }, (_, at) => Math.abs(Math.sin(at + 1) * 1e15).toString(36)).join(" ");
  await drop(page, ".lesson", "long.toml", `${text}\n[[step]]\ntitle = "x"\ntext = "${noise}"\n`);
  await page.waitForFunction(() => document.body.innerText.includes("too long for an address"));
  await page.waitForTimeout(500);
  const long = await page.evaluate(() => location.hash);
  assert.ok(long.length < 2000 && long.includes("file=long.toml"), long.slice(0, 200));
  await other.goto(`${server.url}?again=1${long}`);
  await other.waitForSelector("[role=alert]");
  assert.match(await other.locator("[role=alert]").innerText(), /long\.toml/);
  assert.deepEqual([...page.errors, ...other.errors], []);
  await page.context().close();
  await other.context().close();
});

test("a deep network has few elements, and each step can be reached", async () => {
  const page = await open(browser, server.url, { reducedMotion: "reduce" });
  await page.evaluate((text) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([text], "deep.json"));
    document.querySelector(".step").dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }, JSON.stringify(deepExample()));
  await page.waitForFunction(() => document.querySelector('[data-id^="spine"]'), undefined, { timeout: 60_000 });
  assert.ok((await page.evaluate(() => document.querySelectorAll("*").length)) <= 2000);
  const size = page.viewportSize();
  for (const width of [360, 768, size.width]) {
    await page.setViewportSize({ ...size, width });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `it scrolls sideways at ${width}`);
  }
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Home");
  const first = await state(page);
  const times = [];
  for (let step = 0; step < 30; step++) {
    const from = Date.now();
    await page.keyboard.press("ArrowRight");
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
    times.push(Date.now() - from);
  }
  console.log(`100 layers of 64: a step in ${times.sort((a, b) => a - b)[15]} ms (median)`);
  assert.notEqual(await state(page), first);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test("the saved animation is a drawing with the sentences that were announced", async () => {
  const ask = await loadEngine();
  const page = await open(browser, `${server.url}#example=mazur`);
  await page.getByRole("button", { name: "Take away" }).click();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save the animation" }).click()]);
  const svg = readFileSync(await download.path(), "utf8");
  const { id } = ask({ op: "open", example: "mazur", digits: 6, language: "en" }).json.ok;
  const animation = ask({ op: "animation", id, language: "en" }).json.ok;
  assert.equal(svg, animation.svg);
  const isParsed = await page.evaluate((text) => !new DOMParser().parseFromString(text, "image/svg+xml").querySelector("parsererror"), svg);
  assert.ok(isParsed);
  assert.ok(animation.cues.length > 10);
  await page.context().close();
});

test("a step is saved as the engine draws it, all steps as GIF and video with a picture each", async () => {
  const ask = await loadEngine();
  const { id } = ask({ op: "open", example: "wikidocs", digits: 6, language: "en" }).json.ok;
  const { steps } = ask({ op: "steps", id, level: "layer" }).json.ok;
  const page = await open(browser, `${server.url}#lang=en&example=wikidocs&level=layer&at=4`);
  const save = async (name) => {
    await page.getByRole("button", { name: "Take away" }).click();
    const [download] = await Promise.all([page.waitForEvent("download", { timeout: 120_000 }), page.getByRole("button", { name, exact: true }).click()]);
    return { bytes: readFileSync(await download.path()), name: download.suggestedFilename() };
  };
  const svg = (await save("Save this step (SVG)")).bytes.toString("utf8");
  assert.equal(svg, ask({ op: "picture", id, level: "layer", at: 4, language: "en" }).json.ok.svg);
  const png = (await save("Save this step (PNG)")).bytes;
  const size = await page.evaluate(async (bytes) => {
    const bitmap = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
    return [bitmap.width, bitmap.height];
  }, [...png]);
  const [, width, height] = svg.match(/viewBox="0 0 ([\d.]+) ([\d.]+)"/);
  assert.deepEqual(size, [Math.round(width), Math.round(height)]);
  const gif = (await save("Save all steps (GIF)")).bytes;
  // A frame begins with its control block.
  let frames = 0;
  for (let at = 0; at + 3 < gif.length; at++) if (gif[at] === 0x21 && gif[at + 1] === 0xf9 && gif[at + 2] === 4 && gif[at + 7] === 0) frames += 1;
  assert.equal(frames, steps.length + 1);
  if (await page.evaluate(() => typeof MediaRecorder !== "undefined")) {
    const video = await save("Save all steps (video)");
    const seconds = await page.evaluate(
      async ([bytes, type]) => {
        const own = document.createElement("video");
        own.muted = true;
        own.src = URL.createObjectURL(new Blob([new Uint8Array(bytes)], { type }));
        await new Promise((resolve, reject) => ((own.onloadedmetadata = resolve), (own.onerror = () => reject(own.error))));
        // A recorder writes no length; the end is found by going far beyond it.
        own.currentTime = 1e6;
        await new Promise((resolve) => (own.onseeked = resolve));
        return own.currentTime;
      },
      [[...video.bytes], video.name.endsWith("mp4") ? "video/mp4" : "video/webm"],
    );
    const expected = 1.2 * (steps.length + 1);
    assert.ok(Math.abs(seconds - expected) < 0.2 * expected, `${seconds} s of ${expected} s`);
  }
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test("an address that is not whole opens the first example, and the page says why", async () => {
  const broken = ["example=nope", "state=AAAA", "state=%25%25", "open=nope.toml", "weight=9.9.9", "at=9999", "level=term&at=-3", "view=lesson&toml=AAAA", "view=lesson&lesson=./nope.toml"];
  for (const language of ["en", "ko"])
    for (const hash of broken) {
      const page = await open(browser, `${server.url}#lang=${language}&${hash}`, { reducedMotion: "reduce" });
      const said = await page.locator("[role=alert]").allInnerTexts();
      // A step that is too far is the end; there is nothing to say.
      assert.equal(said.length, hash.includes("at=") ? 0 : 1, `${language} ${hash}: ${said}`);
      if (language === "ko") assert.ok(said.every((own) => /[가-힣]{2}/.test(own)), said.join());
      assert.deepEqual(page.errors.filter((own) => !own.includes("404")), [], hash);
      await page.context().close();
    }
});

test("the browser's Back leads to the view, chapter and slide before", async () => {
  const page = await open(browser, `${server.url}#lang=en`, { reducedMotion: "reduce" });
  const view = () => page.locator("header nav [aria-current]").innerText();
  const rest = () => page.waitForTimeout(600);
  await rest();
  await page.keyboard.press("ArrowRight");
  await rest();
  for (const name of ["Race", "Story"]) {
    await page.getByRole("navigation", { name: "Views" }).getByRole("button", { name }).click();
    await rest();
  }
  await page.getByRole("button", { name: "Next →" }).click();
  await rest();
  await page.goBack();
  await page.waitForFunction(() => document.querySelector("article h2").innerText === "What a unit does");
  await page.goBack();
  await rest();
  assert.equal(await view(), "Race");
  await page.goBack();
  await rest();
  assert.equal(await view(), "Step");
  await page.goForward();
  await rest();
  assert.equal(await view(), "Race");
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test("Tab stops only where there is a name, and who presses a key keeps his place", async () => {
  const page = await open(browser, `${server.url}#lang=en`, { reducedMotion: "reduce" });
  const focused = () =>
    page.evaluate(() => {
      const own = document.activeElement;
      return own === document.body ? "" : (own.getAttribute("aria-label") ?? own.labels?.[0]?.innerText ?? own.textContent).trim();
    });
  const shapes = [];
  for (let stop = 0; stop < 40; stop++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement === document.body)) break;
    assert.notEqual(await focused(), "", await page.evaluate(() => document.activeElement.outerHTML.slice(0, 200)));
    if (await page.evaluate(() => document.activeElement.matches("[data-id]"))) shapes.push(await focused());
  }
  // Arrow keys go on from the one.
  assert.equal(shapes.length, 1);
  await page.getByRole("button", { name: "Send the error back" }).press("Enter");
  await page.waitForSelector(".question", { timeout: 20_000 });
  assert.equal(await focused(), "Play");
  // The right answer opens what is told of the number.
  await page.locator('[data-id="gradient.2.0.1"]').press("Enter");
  await page.getByRole("button", { name: "Close" }).press("Enter");
  assert.match(await focused(), /^The gradient dE\/dw6/);
  await page.getByRole("button", { name: "Take away" }).press("Enter");
  await page.getByRole("button", { name: "Save as TOML" }).focus();
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".menu").count(), 0);
  assert.equal(await focused(), "Take away");
  await page.getByRole("button", { name: "Ask me" }).press("Enter");
  await page.getByRole("button", { name: "Back to the steps" }).press("Enter");
  assert.equal(await focused(), "Ask me");
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test("what is copied is said, and what cannot be copied is there to be selected", async () => {
  const page = await open(browser, `${server.url}#lang=en&example=mazur`, { permissions: ["clipboard-read", "clipboard-write"], reducedMotion: "reduce" });
  const copy = async (name) => {
    await page.getByRole("button", { name: "Take away" }).click();
    await page.getByRole("button", { name }).click();
    assert.equal(await page.locator(".menu").count(), 0);
  };
  await copy("Copy a link to this step");
  await page.getByText("The link is copied.").waitFor();
  await page.evaluate(() => (navigator.clipboard.writeText = () => Promise.reject(new Error("refused"))));
  await copy("Copy the command");
  await page.getByText("does not let the page copy").waitFor();
  assert.match(await page.locator(".share textarea").inputValue(), /^pullback explain --example mazur/);
  await page.locator("h1").click();
  assert.equal(await page.locator(".share textarea").isVisible(), false);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test("what can be pressed on a telephone is as large as a finger", async () => {
  const found = [];
  for (const view of VIEWS) {
    const page = await open(browser, `${server.url}#lang=ko&view=${view}`, { width: 360, height: 780, hasTouch: true, isMobile: true, reducedMotion: "reduce" });
    await page.waitForTimeout(300);
    const small = await page.evaluate(() =>
      [...document.querySelectorAll("button, select, input, textarea, a, label.button")]
        // Sixteen units of six layers have no room for more; they are shown large by pointing at them.
        .filter((own) => !own.closest(".hidden") && !own.matches(".skip, .unit, [type=checkbox], .hidden"))
        .map((own) => [own, own.getBoundingClientRect()])
        .filter(([, area]) => area.width > 0 && (area.width < 39.5 || area.height < 39.5))
        .map(([own, area]) => `${own.tagName} ${own.innerText || own.getAttribute("aria-label")}: ${area.width} x ${area.height}`),
    );
    for (const own of small) found.push(`${view}: ${own}`);
    await page.context().close();
  }
  assert.deepEqual(found, []);
});

test("on a telephone the first drawing begins at the inputs, and shows the cost by itself", async () => {
  const page = await open(browser, server.url, { width: 360, height: 780 });
  const left = () => page.evaluate(() => document.querySelector("main .pan").scrollLeft);
  assert.equal(await left(), 0);
  await page.waitForFunction(() => {
    const [pan, cost] = [document.querySelector("main .pan"), document.querySelector("main .pan .cost.active")].map((own) => own.getBoundingClientRect());
    return cost.right <= pan.right + 1;
  });
  // What is asked at the end is seen.
  await page.locator("button.big").click();
  await page.waitForSelector(".question", { timeout: 20_000 });
  await page.waitForFunction(() => {
    const { top, bottom } = document.querySelector(".question").getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  });
  // So are the answer, and what is told of the number.
  await page.locator('[data-id="gradient.2.0.1"]').click();
  await page.waitForFunction(() => {
    const [answer, told] = [".answer", ".panel h3"].map((own) => document.querySelector(own)?.getBoundingClientRect());
    return answer && told && answer.top >= 0 && told.bottom <= innerHeight;
  });
  await page.context().close();
});

test("what is no number and no formula is refused with what to do, and nothing is lost", async () => {
  const page = await open(browser, `${server.url}#lang=en&example=mazur`, { reducedMotion: "reduce" });
  const alerts = () => page.locator("[role=alert]").allInnerTexts();
  await page.getByRole("button", { name: "Edit" }).click();
  for (const [field, before] of [[page.locator(".weights input").first(), "0.15"], [page.getByLabel("Learning rate"), "0.5"]]) {
    await field.fill("");
    await field.press("Tab");
    assert.match((await alerts()).join(), /A number is needed.*stays/);
    assert.equal(await field.inputValue(), before);
  }
  await page.getByLabel("Learning rate").fill("-1");
  await page.getByLabel("Learning rate").press("Tab");
  assert.match((await alerts()).join(), /positive/);
  assert.equal(await page.getByLabel("Learning rate").inputValue(), "0.5");
  await drop(page, ".step", "table.csv", "a,b\n1,2\n");
  assert.match((await alerts()).join(), /table\.csv is no example.*Train/);
  await drop(page, ".step", "own.toml", "inputs = [1\n");
  await page.waitForFunction(() => document.querySelector(".stage [role=alert]").innerText.includes("own.toml, line 1"));
  await page.goto(`${server.url}?formula#lang=en&view=formula`);
  const text = page.locator("#expression");
  for (const [formula, said] of [["foo(x)", /known are exp, log/], ["(x + y", /write the `\)`/], ["", /write one/], ["1 / 0", /name a number/], ["x + 1", null], ["x", null], ["a = b\nb = a", null]]) {
    await text.fill(formula);
    if (said) assert.match((await alerts()).join(), said, formula);
    else assert.deepEqual(await alerts(), [], formula);
  }
  await text.fill("x / 0");
  assert.match(await page.locator(".formula-view [role=status]").first().innerText(), /divided by 0/);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test("paper is white, also of a dark screen", async () => {
  const page = await open(browser, server.url, { colorScheme: "dark" });
  const ground = () => page.evaluate(() => getComputedStyle(document.querySelector(".card")).backgroundColor);
  assert.notEqual(await ground(), "rgb(255, 255, 255)");
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  assert.equal(await ground(), "rgb(255, 255, 255)");
  assert.equal(await page.locator(".controls").isVisible(), false);
  await page.context().close();
});
