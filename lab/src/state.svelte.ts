// What the whole page shares: language, theme, which view, and the example that is open. All of it is the address.

import { engine, NotLoaded, told, type Said } from "./engine";
import type { Level, Opened, State } from "./types";

export const VIEWS = ["step", "formula", "train", "race", "model", "story", "lesson"] as const;
export type View = (typeof VIEWS)[number];
export type Language = "en" | "ko";
export type Theme = "system" | "light" | "dark";

class Lab {
  language = $state<Language>("en");
  theme = $state<Theme>("system");
  /** The color of the page's ground. When it is another, canvases are painted again. */
  ground = $state("");
  view = $state<View>("step");
  words = $state.raw<Record<string, string>>({});
  opened = $state.raw<Opened | undefined>();
  level = $state<Level>("unit");
  /** The step of that level; null is the end. */
  at = $state<number | null>(null);
  /** The id of the shape that is looked at. */
  selected = $state<string | null>(null);
  embedded = $state(false);
  /** What the example is called in the address, if it is a built-in one. */
  example = $state<string | null>(null);
  /** The file beside the page that it was read from, if it was not changed since. */
  file = $state<string | null>(null);
  /** Why the address could not be followed. */
  problem = $state<Said | null>(null);
  /** More of the address, which views keep there. */
  extra = $state<Record<string, string>>({});
}

export const lab = new Lab();

/** A message of the catalog that the command line has too; `{name}` is the place of a value. */
export function say(key: string, values: Record<string, string | number> = {}): string {
  const text = lab.words[key];
  if (text === undefined) return key;
  if (!text.includes("{")) return text;
  return engine().ask<string>({ op: "say", language: lab.language, key, values: stringified(values) });
}

/** What went wrong where the engine that trains is asked, which may be missing. */
export function toldOfTraining(error: unknown): Said {
  return error instanceof NotLoaded ? say("lab.training_not_loaded") : told(error);
}

function stringified(values: Record<string, string | number>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

export async function setLanguage(language: Language): Promise<void> {
  await engine().learn(language);
  lab.words = engine().ask({ op: "words", language });
  lab.language = language;
  document.documentElement.lang = language;
  document.title = say("lab.title");
  remember("language", language);
}

export function setTheme(theme: Theme): void {
  lab.theme = theme;
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  remember("theme", theme);
  look();
}

function look(): void {
  lab.ground = getComputedStyle(document.body).backgroundColor;
}

/** Sees when the device, or paper, wants another theme. */
export function watchTheme(): void {
  for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", look);
}

/** Opens a built-in example by its name. */
export function openExample(name: string): void {
  replace({ example: name });
  lab.example = name;
  lab.file = null;
}

/** Opens a file, whose name errors name, or a state that was changed. */
export function openState(state: State | string, source?: string): void {
  const text = typeof state === "string" ? state : JSON.stringify(state);
  replace(source === undefined ? { text } : { text, source });
  lab.example = null;
  lab.file = null;
}

function replace(what: Record<string, string>): void {
  const opened = engine().ask<Opened>({ op: "open", digits: 6, language: lab.language, ...what });
  // Of a large network it is megabytes, which only who changes something needs.
  let state: State | undefined;
  const asked = (): State => (state ??= engine().ask<State>({ op: "state", id: opened.id }));
  Object.defineProperty(opened, "state", { get: asked });
  if (lab.opened) engine().ask({ op: "close", id: lab.opened.id });
  lab.opened = opened;
  if (isLarge(opened) && lab.level !== "pass") lab.level = "layer";
}

/** A network with so many weights is looked at layer by layer: nobody follows a million products. */
export function isLarge(opened: Opened): boolean {
  return (opened.layers ?? []).reduce((sum, layer) => sum + layer.weights, 0) > 20_000;
}

/** The first example that a visitor of a language sees. */
export function firstExample(language: Language): string {
  return language === "ko" ? "wikidocs" : "mazur";
}

export function isReduced(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

// The address: #view=step&example=mazur&level=unit&at=12. A state of the visitor's own is `state`, deflated.

export async function address(): Promise<string> {
  const parts = new URLSearchParams();
  parts.set("view", lab.view);
  parts.set("lang", lab.language);
  // A story and a lesson open what they are about themselves.
  const isOwn = lab.view === "story" || lab.view === "lesson";
  if (isOwn) parts.delete("example");
  else if (lab.example) parts.set("example", lab.example);
  // No address holds a large network.
  else if (lab.opened && !isLarge(lab.opened)) parts.set("state", await packed(JSON.stringify(lab.opened.state)));
  else if (lab.file) parts.set("open", lab.file);
  if (lab.view === "step" || lab.view === "formula") {
    parts.set("level", lab.level);
    if (lab.at !== null) parts.set("at", String(lab.at));
  }
  // In one order, so that the same state has the same address.
  for (const [key, value] of Object.entries(lab.extra).sort()) parts.set(key, value);
  return `#${parts}`;
}

/** Takes the page to an address. Returns whether it said at which step. */
export async function goTo(hash: string): Promise<boolean> {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const language = parts.get("lang");
  if (language === "en" || language === "ko") {
    if (language !== lab.language) await setLanguage(language);
  }
  const view = parts.get("view");
  lab.view = VIEWS.find((own) => own === view) ?? "step";
  const level = parts.get("level");
  lab.level = (["pass", "layer", "example", "unit", "term"] as const).find((own) => own === level) ?? "unit";
  lab.embedded = parts.has("embed") || new URLSearchParams(location.search).has("embed");
  const known = new Set(["view", "lang", "example", "state", "open", "weight", "level", "at", "embed"]);
  lab.extra = Object.fromEntries([...parts].filter(([key]) => !known.has(key)));
  lab.selected = null;
  lab.problem = null;
  try {
    await openNamed(parts);
  } catch (error) {
    // A link that lost its end on the way must not leave an empty page.
    lab.problem = told(error);
    openExample(firstExample(lab.language));
    lab.at = null;
    return false;
  }
  const at = parts.get("at");
  const isStep = at !== null && /^\d+$/.test(at);
  lab.at = isStep ? Number(at) : null;
  return isStep;
}

/** Opens what an address names, and the weight in it that is looked at. */
async function openNamed(parts: URLSearchParams): Promise<void> {
  const state = parts.get("state");
  const open = parts.get("open");
  if (state) openState(await unpackedState(state));
  // A file beside the page, such as what the command line opens it with.
  else if (open && /^[\w.-]+$/.test(open)) {
    const response = await fetch(`./${open}`);
    if (!response.ok) throw new Error(say("lab.address_no_file", { name: open }));
    openState(await response.text(), open);
    lab.file = open;
  } else openExample(parts.get("example") ?? firstExample(lab.language));
  const weight = parts.get("weight");
  if (!weight) return;
  engine().ask({ op: "costs", id: lab.opened?.id, address: weight, numbers: [] });
  lab.selected = `edge.${weight}`;
}

/** A state of an address. What a browser says of one that was cut off tells nobody anything. */
async function unpackedState(text: string): Promise<string> {
  try {
    return await unpacked(text);
  } catch {
    throw new Error(say("lab.address_cut"));
  }
}

/** The most letters of one thing in an address: browsers, mail and chats take as many. */
const MOST_IN_ADDRESS = 16_000;

/** A text for an address; null if it is too long for one. */
export async function packedIfShort(text: string): Promise<string | null> {
  const own = await packed(text);
  return own.length <= MOST_IN_ADDRESS ? own : null;
}

async function packed(text: string): Promise<string> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export async function unpacked(text: string): Promise<string> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(stream).text();
}

/** Keeps something in the browser, where it keeps anything. */
export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`pullback.${key}`, value);
  } catch {
    // A page without storage forgets; nothing else depends on it.
  }
}

export function remembered(key: string): string | null {
  try {
    return localStorage.getItem(`pullback.${key}`);
  } catch {
    return null;
  }
}

export function rememberedTheme(): Theme {
  const theme = remembered("theme");
  return theme === "light" || theme === "dark" ? theme : "system";
}

/** The language, before anything is written. */
export async function start(): Promise<void> {
  const language = new URLSearchParams(location.hash.slice(1)).get("lang") ?? remembered("language");
  const own = navigator.languages.some((code) => code.startsWith("ko")) ? "ko" : "en";
  await setLanguage(language === "ko" || language === "en" ? language : own);
}
