// The model that comes with the page: its images, a drawing of one's own, and each of its numbers.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRequire } from "node:module";
import { test } from "node:test";
import { browser, inBrowser, open, server } from "./browser.mjs";
import { binary, PAGE } from "./engine.mjs";

inBrowser();

const samples = JSON.parse(readFileSync(join(PAGE, "models/digits.json"), "utf8")).samples;

async function opened(options) {
  const page = await open(browser, `${server.url}#view=model`, options);
  page.setDefaultTimeout(120_000);
  await page.getByRole("button", { name: "Try a model that reads digits" }).click();
  await page.waitForSelector(".matrix");
  return page;
}
const likely = (page) => page.locator("tr.likely th").innerText();

test("most digits are read right, and a drawing is read anew", async () => {
  const page = await opened();
  let right = 0;
  for (const [at, sample] of samples.entries()) {
    await page.locator(".samples button").nth(at).click();
    if ((await likely(page)) === sample.label) right += 1;
  }
  assert.ok(right >= 18 && right < samples.length, `${right} of ${samples.length}`);
  await page.getByRole("button", { name: "Clear" }).click();
  const before = await page.locator(".facts td").first().innerText();
  // A vertical line from the second row to the seventh.
  const box = await page.locator(".draw svg").boundingBox();
  const place = (row, column) => [box.x + ((column + 0.5) * box.width) / 8, box.y + ((row + 0.5) * box.height) / 8];
  await page.mouse.move(...place(1, 4));
  await page.mouse.down();
  for (let row = 2; row < 7; row++) await page.mouse.move(...place(row, 4));
  await page.mouse.up();
  assert.notEqual(await page.locator(".facts td").first().innerText(), before);
  assert.equal(await page.locator(".draw rect.ink[fill-opacity='1']").count(), 6);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test("a filter's weight is told as the command tells it: a sum over its windows", async () => {
  const page = await opened();
  await page.locator(".matrix svg").focus();
  for (const key of ["ArrowDown", "ArrowRight", "ArrowRight"]) await page.keyboard.press(key);
  const said = await page.locator(".matrix [role=status]").innerText();
  const gradient = Number(said.match(/gradient (\S+)/)[1]);
  // The command explains the same image, from a file like MNIST's.
  const folder = mkdtempSync(join(tmpdir(), "digits-"));
  const head = (...numbers) => {
    const bytes = Buffer.alloc(4 * numbers.length);
    numbers.forEach((own, at) => bytes.writeUInt32BE(own, 4 * at));
    return bytes;
  };
  writeFileSync(join(folder, "t10k-images-idx3-ubyte"), Buffer.concat([head(0x803, 1, 8, 8), Buffer.from(samples[0].pixels)]));
  writeFileSync(join(folder, "t10k-labels-idx1-ubyte"), Buffer.concat([head(0x801, 1), Buffer.from([Number(samples[0].label)])]));
  assert.ok(binary, "build the command first");
  const told = execFileSync(binary, ["explain", join(PAGE, "models/digits.safetensors"), join(folder, "t10k-images-idx3-ubyte"), "--row", "1", "--weight", "layers.0.weight[1,2]"], { encoding: "utf8" });
  const rows = await page.locator(".told tbody tr").allInnerTexts();
  assert.ok(rows.length >= 5, "the terms of the sum");
  const plain = (text) => text.replace(/\s+/g, " ");
  for (const row of rows) assert.ok(plain(told).includes(plain(row)), row);
  const own = plain(told).match(/dC\/dw\[c1\]\[1,0,2,0\] = .*? = (-?[\d.e-]+) /)[1];
  assert.ok(Math.abs(Number(own) - gradient) <= 1e-5 * Math.abs(gradient), `${own}, ${gradient}`);
  await page.context().close();
});

test("in training, an image is normalized with those beside it", async () => {
  const page = await opened();
  const sentence = () => page.locator(".matrix [role=status]").innerText();
  const alone = await sentence();
  await page.locator("label", { hasText: "Rows in the batch" }).locator("select").selectOption("4");
  const four = await sentence();
  assert.notEqual(four, alone);
  await page.getByRole("checkbox").check();
  assert.notEqual(await sentence(), four);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test("axe finds nothing in an opened model, and nothing scrolls sideways", async () => {
  const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  for (const [width, colorScheme] of [[1440, "light"], [360, "dark"]]) {
    const page = await opened({ width, colorScheme, reducedMotion: "reduce", bypassCSP: true });
    await page.evaluate(axe);
    const found = await page.evaluate(async () => (await globalThis.axe.run(document)).violations.map((own) => `${own.id}: ${own.nodes.map((node) => node.html).slice(0, 3).join(" ")}`));
    assert.deepEqual(found, [], `${width}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(wide, 0);
    await page.context().close();
  }
});

test("of a file that is no model, the page says so and asks no more", async () => {
  const page = await open(browser, `${server.url}#view=model&lang=en`);
  const drop = async (name, bytes) => {
    await page.evaluate(
      ([name, bytes]) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(bytes)], name));
        document.querySelector(".model").dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
      },
      [name, [...bytes]],
    );
    await page.waitForTimeout(300);
  };
  const header = Buffer.from('{"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}');
  const length = Buffer.from(new BigUint64Array([BigInt(header.length)]).buffer);
  for (const bytes of [Buffer.from("hello"), Buffer.alloc(0), Buffer.concat([length, header]), Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 123, 125])]) {
    await drop("broken.safetensors", bytes);
    assert.equal(await page.locator("[role=alert]").count(), 1);
    assert.equal(await page.getByRole("button", { name: "Open it" }).count(), 0);
  }
  // Whole, and with a matrix: what is between its layers is asked.
  await drop("other.safetensors", Buffer.concat([length, header, Buffer.alloc(16)]));
  assert.equal(await page.getByRole("button", { name: "Open it" }).count(), 1);
  await drop("empty.csv", Buffer.from(""));
  assert.match(await page.locator("[role=alert]").innerText(), /has no rows/);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test("a table may come before its model, and one that does not fit is refused by name", async () => {
  const page = await open(browser, `${server.url}#view=model&lang=en`);
  await page.locator("input[type=file]").setInputFiles({ name: "rows.csv", mimeType: "text/csv", buffer: Buffer.from("a,b\n1,2\n") });
  await page.waitForSelector("[role=status]");
  assert.match(await page.locator(".door [role=status]").innerText(), /rows\.csv is read: 1 row\./);
  await page.locator("input[type=file]").setInputFiles({ name: "cat.png", mimeType: "image/png", buffer: Buffer.from("no image") });
  await page.waitForSelector("[role=alert]");
  assert.match(await page.locator("[role=alert]").innerText(), /Choose such a model first/);
  assert.deepEqual(page.errors, []);
  await page.context().close();
});
