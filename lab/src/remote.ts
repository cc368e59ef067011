// The engine in a worker: several questions go there together and are answered one after the other.

import { EngineError } from "./engine";

export interface Request {
  ticket: number;
  source: string;
  questions: Record<string, unknown>[];
}

export interface Answered<T = unknown> {
  ok: T;
  numbers: Float32Array;
  milliseconds: number;
}

export interface Reply {
  ticket: number;
  answers: Answered[];
  problem: { what: string; place: string | null; help: string | null } | null;
}

export class Remote {
  readonly #worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  readonly #waiting = new Map<number, { done: (answers: Answered[]) => void; failed: (error: Error) => void }>();
  #last = 0;

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<Reply>): void => {
      const own = this.#waiting.get(data.ticket);
      this.#waiting.delete(data.ticket);
      const { problem } = data;
      if (problem) own?.failed(new EngineError(problem.what, problem.place, problem.help));
      else own?.done(data.answers);
    };
    this.#worker.onerror = (event): void => {
      for (const own of this.#waiting.values()) own.failed(new Error(event.message));
      this.#waiting.clear();
    };
  }

  askAll(questions: Record<string, unknown>[]): Promise<Answered[]> {
    this.#last += 1;
    const ticket = this.#last;
    const source = new URL("./engine.wasm", document.baseURI).href;
    return new Promise((done, failed) => {
      this.#waiting.set(ticket, { done, failed });
      this.#worker.postMessage({ ticket, source, questions } satisfies Request);
    });
  }

  async ask<T>(question: Record<string, unknown>): Promise<Answered<T>> {
    const [answer] = await this.askAll([question]);
    return answer as Answered<T>;
  }

  close(): void {
    this.#worker.terminate();
    this.#waiting.clear();
  }
}
