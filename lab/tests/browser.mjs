// A browser, and the built page from a server of its own.
import { createServer } from "node:http";
import { existsSync, readFileSync } from "node:fs";
import { extname, join, normalize } from "node:path";
import { after, before } from "node:test";
import { chromium } from "playwright-core";
import { PAGE } from "./engine.mjs";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".svg": "image/svg+xml" };

export async function serve() {
  const server = createServer((request, response) => {
    const name = normalize(new URL(request.url, "http://x").pathname).replace(/^\/+/, "") || "index.html";
    const file = join(PAGE, name);
    if (name.startsWith("..") || !existsSync(file)) {
      response.statusCode = 404;
      return response.end();
    }
    response.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream");
    response.end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

export let server;
export let browser;

/** Gives the tests of a file the two above, and closes them at its end. */
export function inBrowser() {
  before(async () => {
    server = await serve();
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });
}

/** A page that has shown its first picture; what the console says of errors is kept in `page.errors`. */
export async function open(browser, url, options = {}) {
  const { width = 1440, height = 900, ...rest } = options;
  const context = await browser.newContext({ viewport: { width, height }, locale: "en-US", ...rest });
  const page = await context.newPage();
  page.errors = [];
  page.on("console", (message) => message.type() === "error" && page.errors.push(message.text()));
  page.on("pageerror", (error) => page.errors.push(error.message));
  page.on("request", (request) => {
    const own = new URL(request.url());
    if (own.origin !== new URL(url).origin && own.protocol.startsWith("http")) page.errors.push(`asked ${own.origin}`);
  });
  await page.goto(url);
  await page.waitForSelector("main .card", { timeout: 30_000 });
  return page;
}
