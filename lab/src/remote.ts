// The engine that trains, in a worker: several questions go there together and are answered one after the other.

import { EngineError, NotLoaded, trainingSource } from "./engine";

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
  isLoaded: boolean;
}

export class Remote {
  /** Started when it is first asked. */
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, { done: (answers: Answered[]) => void; failed: (error: Error) => void }>();
  #last = 0;

  #started(): Worker {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<Reply>): void => {
      const own = this.#waiting.get(data.ticket);
      this.#waiting.delete(data.ticket);
      const { problem } = data;
      if (!data.isLoaded) own?.failed(new NotLoaded(problem?.what));
      else if (problem) own?.failed(new EngineError(problem.what, problem.place, problem.help));
      else own?.done(data.answers);
    };
    worker.onerror = (event): void => {
      // Without a message, its file was not there; who asks again tries again.
      const error = event.message ? new Error(event.message) : new NotLoaded();
      for (const own of this.#waiting.values()) own.failed(error);
      this.#waiting.clear();
      if (!event.message) this.#worker = undefined;
    };
    return worker;
  }

  askAll(questions: Record<string, unknown>[]): Promise<Answered[]> {
    this.#last += 1;
    const ticket = this.#last;
    const source = trainingSource();
    return new Promise((done, failed) => {
      this.#waiting.set(ticket, { done, failed });
      this.#worker ??= this.#started();
      this.#worker.postMessage({ ticket, source, questions } satisfies Request);
    });
  }

  async ask<T>(question: Record<string, unknown>): Promise<Answered<T>> {
    const [answer] = await this.askAll([question]);
    return answer as Answered<T>;
  }

  close(): void {
    this.#worker?.terminate();
    this.#waiting.clear();
  }
}
