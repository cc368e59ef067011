// An engine of its own beside the page, so that training never holds the page up: questions in, answers out.

import { Engine, EngineError, instantiate, NotLoaded } from "./engine";
import type { Reply, Request } from "./remote";

let engine: Promise<Engine> | undefined;

self.onmessage = async ({ data }: MessageEvent<Request>): Promise<void> => {
  engine ??= instantiate(data.source);
  const reply: Reply = { ticket: data.ticket, answers: [], problem: null, isLoaded: true };
  const buffers: ArrayBuffer[] = [];
  try {
    const ready = await engine;
    for (const question of data.questions) {
      if (typeof question.language === "string") await ready.learn(question.language);
      const start = performance.now();
      const { ok, numbers } = ready.askFor<unknown>(question);
      reply.answers.push({ ok, numbers, milliseconds: performance.now() - start });
      buffers.push(numbers.buffer as ArrayBuffer);
    }
  } catch (error) {
    reply.problem =
      error instanceof EngineError
        ? { what: error.what, place: error.place, help: error.help }
        : { what: String(error), place: null, help: null };
    if (error instanceof NotLoaded) {
      reply.isLoaded = false;
      // Who asks again tries again.
      engine = undefined;
    }
  }
  self.postMessage(reply, { transfer: buffers });
};
