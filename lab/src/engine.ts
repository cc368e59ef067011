// The engines of the page: questions in JSON, answers in JSON; see crates/pullback-wasm.

interface Exports extends WebAssembly.Exports {
  memory: WebAssembly.Memory;
  room(bytes: number): number;
  answer(): number;
  answered(): number;
}

/** What the engine says is wrong, as the command line says it. */
export class EngineError extends Error {
  constructor(
    readonly what: string,
    readonly place: string | null,
    readonly help: string | null,
  ) {
    super([place, what].filter(Boolean).join(": "));
  }
}

/** What is wrong: in the page's own words, or as an engine says it. */
export type Said = string | EngineError;

/** What went wrong, and what to do about it. */
export function told(error: unknown): Said {
  if (error instanceof EngineError) return error;
  return error instanceof Error ? error.message : String(error);
}

/** The same in a language. An engine says it in English, which it stays if the file of that language's errors is missing. */
export async function toldIn(said: Said, language: string): Promise<string> {
  if (typeof said === "string") return said;
  if (language !== "en") {
    try {
      return (await (await import("./errors")).spoken(language))(said);
    } catch {
      // It is said in English.
    }
  }
  return english(said);
}

export function english(said: Said): string {
  return typeof said === "string" ? said : [said.message, said.help].filter(Boolean).join("; ");
}

export class Engine {
  readonly #exports: Exports;
  /** The languages that it speaks, and those that are on their way. */
  readonly #languages = new Map<string, Promise<void>>();

  constructor(
    instance: WebAssembly.Instance,
    readonly source: string,
  ) {
    this.#exports = instance.exports as Exports;
  }

  /** Gives it the messages of a language, which are a file beside it. */
  learn(language: string): Promise<void> {
    let learned = this.#languages.get(language);
    if (!learned) {
      learned = fetched(new URL(`messages/${language}.json`, this.source).href).then((bytes) => {
        this.ask({ op: "learn", language }, new Uint8Array(bytes));
      });
      this.#languages.set(language, learned);
      // Who asks again tries again.
      learned.catch(() => this.#languages.delete(language));
    }
    return learned;
  }

  /** Asks, with the bytes of a file where the question is about one. */
  ask<T>(question: Record<string, unknown>, file?: Uint8Array): T {
    return this.askFor<T>(question, file).ok;
  }

  /** The same, with the numbers that belong to the answer. */
  askFor<T>(question: Record<string, unknown>, file?: Uint8Array): { ok: T; numbers: Float32Array } {
    const json = new TextEncoder().encode(JSON.stringify(question));
    const bytes = 4 + json.length + (file?.length ?? 0);
    const at = this.#exports.room(bytes);
    const room = new Uint8Array(this.#exports.memory.buffer, at, bytes);
    new DataView(this.#exports.memory.buffer).setUint32(at, json.length, true);
    room.set(json, 4);
    if (file) room.set(file, 4 + json.length);
    const length = this.#exports.answer();
    const from = this.#exports.answered();
    const message = this.#exports.memory.buffer.slice(from, from + length);
    const size = new DataView(message).getUint32(0, true);
    const answer = JSON.parse(new TextDecoder().decode(new Uint8Array(message, 4, size))) as
      | { ok: T }
      | { error: { what: string; place: string | null; help: string | null } };
    if ("error" in answer) throw new EngineError(answer.error.what, answer.error.place, answer.error.help);
    return { ok: answer.ok, numbers: new Float32Array(message.slice(4 + size)) };
  }
}

async function fetched(source: string): Promise<ArrayBuffer> {
  const response = await fetch(source);
  if (!response.ok) throw new Error(`${source}: ${response.status}`);
  return response.arrayBuffer();
}

/** An engine that is not there: its file could not be loaded. */
export class NotLoaded extends Error {}

export async function instantiate(source: string): Promise<Engine> {
  try {
    // Some static hosts send the file under another type, which streaming refuses.
    const { instance } = await WebAssembly.instantiate(await fetched(source), {});
    return new Engine(instance, source);
  } catch (error) {
    throw new NotLoaded(String(error));
  }
}

let loaded: Engine | undefined;

export async function loadEngine(): Promise<void> {
  loaded = await instantiate(new URL("./engine.wasm", document.baseURI).href);
}

/** Where the engine is that trains, and reads what was trained. It is loaded when something is asked of it. */
export function trainingSource(): string {
  return new URL("./training.wasm", document.baseURI).href;
}

/** Has the browser load it ahead, because a view that needs it is likely to be opened. */
export function expectTraining(): void {
  if (isExpected) return;
  isExpected = true;
  fetched(trainingSource()).catch(() => (isExpected = false));
}

let isExpected = false;

let trained: Promise<Engine> | undefined;

/** That engine beside the page's own, for models; runs of training have one each, in a worker. */
export function trainedEngine(): Promise<Engine> {
  if (!trained) {
    trained = instantiate(trainingSource());
    // Who asks again tries again.
    trained.catch(() => (trained = undefined));
  }
  return trained;
}

/** The page's own engine, which explains. */
export function engine(): Engine {
  if (!loaded) throw new Error("the engine is not loaded");
  return loaded;
}
