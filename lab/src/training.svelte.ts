// A run of training in the worker: its settings, what is shown of it, and how one moves in it.

import type { Chosen, Point, Sheet } from "./points";
import { Remote } from "./remote";
import { packedIfShort, toldOfTraining, unpacked } from "./state.svelte";
import type { Said } from "./engine";
import type { Answered } from "./remote";
import type { State } from "./types";

export const SETS = ["circles", "xor", "moons", "spiral", "gaussians", "linear", "blobs"] as const;
export const ACTIVATIONS = ["tanh", "relu", "leaky_relu", "sigmoid", "gelu", "identity"] as const;
export const OPTIMIZERS = ["sgd", "momentum", "nesterov", "rmsprop", "adagrad", "adam", "adamw"] as const;
export const MOST_LAYERS = 6;
export const MOST_UNITS = 16;

export interface Settings {
  /** A set by its name, or `own`. */
  set: string;
  points: number;
  noise: number;
  hidden: number[];
  activation: string;
  optimizer: string;
  rate: number;
  l2: number;
  batch: number;
  test: number;
  seed: number;
}

export const DEFAULTS: Settings = {
  set: "circles",
  points: 300,
  noise: 1,
  hidden: [6, 6],
  activation: "tanh",
  optimizer: "adam",
  rate: 0.01,
  l2: 0,
  batch: 16,
  test: 0.2,
  seed: 1,
};

/** What a set asks for. */
export function settingsFor(set: string): Partial<Settings> {
  return set === "spiral"
    ? { set, points: 500, hidden: [12, 12, 12], rate: 0.02, batch: 32 }
    : { set, points: 300, hidden: [6, 6], rate: 0.01, batch: 16 };
}

export interface Run {
  id: number;
  classes: string[];
  range: [[number, number], [number, number]];
  rows: number;
  held_out: number;
  batch: number;
  weights: number;
  steps_per_epoch: number;
  multiply_adds: number;
}

export interface Place {
  step: number;
  epoch: number;
  farthest: number;
  rate: number;
  diverged: number | null;
}

export interface LayerLook {
  units: number;
  inputs: number;
  weights: (number | null)[];
  gradients: (number | null)[];
  biases: (number | null)[];
  delta: number | null;
  slope: number | null;
  flat: number | null;
  deltas: { first: number; counts: number[]; zeros: number };
}

export interface Measured {
  cost: number | null;
  accuracy: number;
}

export interface Look extends Place {
  train: Measured;
  test: Measured | null;
  watched: number;
  layers: LayerLook[];
}

export interface Finding {
  key: string;
  layer: number;
  step: number;
  text: string;
}

export interface Cost {
  step: number;
  train: number | null;
  test: number | null;
}

/** Of each point: its two numbers, its class, and whether it is held out. */
export type Points = Float32Array;

/** How fast: a step a second, ten, each moment more, or what the machine can. */
export const PACES = ["one", "ten", "gathering", "fastest"] as const;
export type Pace = (typeof PACES)[number];

/** Numbers along a side of what is drawn: of the plane and of a unit, while training runs and at rest. */
const FIELD = { least: 36, most: 96 };
const UNIT = { running: 12, resting: 28 };
/** How long a slice may take, so that a frame is drawn sixty times a second. */
const SLICE = 11;

/** Of an update that is opened, the most examples: those of most batches, so that it is the run's own. */
const MOST_ROWS = 64;

export class Training {
  settings = $state<Settings>({ ...DEFAULTS });
  own = $state.raw<Point[]>([]);
  /** The file that they are from, if they are from one, and its columns. */
  sheet = $state.raw<Sheet | null>(null);
  columns = $state<Chosen>({ x: 0, y: 1, target: 2 });
  run = $state.raw<Run | undefined>();
  points = $state.raw<Points>(new Float32Array());
  place = $state.raw<Place>({ step: 0, epoch: 0, farthest: 0, rate: 0, diverged: null });
  look = $state.raw<Look | undefined>();
  field = $state.raw<Float32Array | undefined>();
  units = $state.raw<{ layers: number[]; numbers: Float32Array } | undefined>();
  findings = $state.raw<Finding[]>([]);
  costs = $state.raw<Cost[]>([]);
  isPlaying = $state(false);
  pace = $state<Pace>("gathering");
  problem = $state<Said | null>(null);
  /** Whether the engine is on its way. */
  isLoading = $state(false);
  /** The learning rate that the run began with, and each that was set later, with the step from which on. */
  begun = $state.raw(DEFAULTS.rate);
  rates = $state.raw<[number, number][]>([]);
  /** Where one rested last, or was a second ago: that is in the address. */
  rested = $state(0);
  /** The step that is trained up to again, because an address names it. */
  goal = $state<number | null>(null);
  /** Steps of the last second. */
  speed = $state(0);
  #language = "en";
  readonly #remote = new Remote();
  #turn = 0;
  /** As fine as can be drawn in a few milliseconds. */
  #field = 48;

  /** Begins anew with the present settings; goes on training if it did, or if that is wanted. */
  async open(plays = false, goal: number | null = null): Promise<void> {
    const wasPlaying = this.isPlaying || plays;
    this.isPlaying = false;
    this.goal = goal;
    this.#turn += 1;
    const turn = this.#turn;
    const { set, points, noise, hidden, activation, optimizer, rate, l2, batch, test, seed } = this.settings;
    const data =
      set === "own"
        ? { given: $state.snapshot(this.own) }
        : { generated: { set, points, noise, seed } };
    if (this.run) void this.#remote.ask({ op: "train_close", id: this.run.id }).catch(() => undefined);
    if (set === "own" && this.own.length === 0) {
      this.run = undefined;
      this.field = undefined;
      this.look = undefined;
      this.points = new Float32Array();
      this.goal = null;
      return;
    }
    const question = {
      op: "train_open",
      data,
      hidden: [...hidden],
      activation,
      optimizer,
      learning_rate: rate,
      l2,
      batch,
      test: set === "own" && this.own.length < 10 ? 0 : test,
      seed,
      // The plane stays where it is while points are set on it.
      ...(set === "own" && this.sheet === null ? { shown: 1.2 } : {}),
    };
    try {
      this.isLoading = !this.run;
      const { ok, numbers } = await this.#remote.ask<Run>(question).finally(() => (this.isLoading = false));
      if (turn !== this.#turn) return;
      this.problem = null;
      this.begun = rate;
      this.rates = [];
      this.rested = 0;
      this.place = { step: 0, epoch: 0, farthest: 0, rate, diverged: null };
      this.run = ok;
      this.points = numbers;
      this.costs = [];
      this.findings = [];
      this.units = undefined;
      await this.#show(turn, []);
      if (wasPlaying) this.play();
    } catch (error) {
      // Of a run that was replaced and closed meanwhile nothing is said.
      if (turn !== this.#turn) return;
      this.goal = null;
      this.problem = toldOfTraining(error);
    }
  }

  /** Asks for everything that is shown, after some questions. */
  async #show(turn: number, first: Record<string, unknown>[], isAll = true): Promise<Answered[]> {
    const run = this.run;
    if (!run) return [];
    const id = run.id;
    const pace = this.isPlaying ? "running" : "resting";
    const questions = [
      ...first,
      { op: "train_surface", id, size: this.isPlaying ? this.#field : FIELD.most },
      ...(isAll
        ? [
            { op: "train_units", id, size: UNIT[pace] },
            { op: "train_look", id },
            { op: "train_findings", id, language: this.#language },
          ]
        : []),
    ];
    const answers = await this.#remote.askAll(questions);
    if (turn !== this.#turn || this.run !== run) return answers;
    const [surface, units, look, findings] = answers.slice(first.length);
    if (surface) {
      this.field = surface.numbers;
      const fitting = Math.sqrt((surface.numbers.length * 5) / Math.max(surface.milliseconds, 0.05));
      this.#field = Math.round(Math.min(FIELD.most, Math.max(FIELD.least, 0.8 * this.#field + 0.2 * fitting)));
    }
    if (units) this.units = { layers: (units.ok as { layers: number[] }).layers, numbers: units.numbers };
    const place = first.length > 0 ? (answers[first.length - 1]?.ok as Place | undefined) : undefined;
    if (place && "step" in place) this.place = place;
    if (look) {
      const own = look.ok as Look;
      this.look = own;
      this.place = own;
      this.#note(own);
    }
    if (findings) this.findings = (findings.ok as { findings: Finding[] }).findings;
    return answers;
  }

  /** Tells findings in another language from now on. */
  async speak(language: string): Promise<void> {
    if (language === this.#language) return;
    this.#language = language;
    const run = this.run;
    if (!run) return;
    const { ok } = await this.#remote.ask<{ findings: Finding[] }>({ op: "train_findings", id: run.id, language });
    if (run === this.run) this.findings = ok.findings;
  }

  #note(look: Look): void {
    const last = this.costs.at(-1);
    if (last && look.step <= last.step) return;
    const own = { step: look.step, train: look.train.cost, test: look.test?.cost ?? null };
    let costs = [...this.costs, own];
    // Of a long run every second one is enough.
    if (costs.length > 800) costs = costs.filter((_, at) => at % 2 === 0 || at === costs.length - 1);
    this.costs = costs;
  }

  play(): void {
    if (this.isPlaying || !this.run) return;
    this.isPlaying = true;
    void this.#playing(this.#turn);
  }

  pause(): void {
    this.isPlaying = false;
    this.goal = null;
  }

  /** Trains up to a step as the run of an address did; the same settings and seed give the same numbers. */
  async trainTo(goal: number, rates: [number, number][]): Promise<void> {
    const turn = this.#turn;
    this.goal = goal;
    let most = 20;
    let looked = performance.now();
    const waiting = rates.filter(([step]) => step > 0 && step <= goal);
    try {
      while (this.goal === goal && turn === this.#turn && this.run) {
        const id = this.run.id;
        const at = this.place.step;
        const next = waiting[0];
        if (next && at >= next[0]) {
          waiting.shift();
          this.settings.rate = next[1];
          this.rates = [...this.rates, next];
          await this.#show(turn, [{ op: "train_rate", id, rate: next[1] }], false);
          continue;
        }
        if (at >= goal || this.place.diverged === at) break;
        const steps = Math.min(most, (next?.[0] ?? goal) - at);
        const isLook = performance.now() - looked > 120;
        const [ran] = await this.#show(turn, [{ op: "train_run", id, steps }], isLook);
        if (isLook) looked = performance.now();
        if (ran) most = Math.round(Math.min(5000, Math.max(1, (40 * steps) / Math.max(ran.milliseconds, 1e-3))));
      }
      if (turn !== this.#turn) return;
      await this.#show(turn, []);
      this.rested = this.place.step;
    } catch (error) {
      this.problem = toldOfTraining(error);
    }
    if (this.goal === goal) this.goal = null;
  }

  async #playing(turn: number): Promise<void> {
    let most = 20;
    let debt = 0;
    let before = performance.now();
    let looked = 0;
    let counted = { at: before, step: this.place.step };
    try {
      while (this.isPlaying && turn === this.#turn && this.run) {
        const now = performance.now();
        const passed = Math.min(0.1, (now - before) / 1000);
        before = now;
        if (this.pace === "one") debt += passed;
        else if (this.pace === "ten") debt += 10 * passed;
        // Each moment as many steps as it takes to grow by a factor e in a second: the first ones can be watched.
        else if (this.pace === "gathering") debt += passed * (60 + this.place.step);
        else debt = most;
        const steps = Math.min(most, Math.floor(debt));
        debt = Math.min(debt - steps, most);
        const isLook = steps > 0 && (now - looked > 120 || this.pace === "one" || this.pace === "ten");
        if (steps > 0) {
          const run = { op: "train_run", id: this.run.id, steps };
          const frame = new Promise((done) => requestAnimationFrame(done));
          const [ran] = await this.#show(turn, [run], isLook);
          if (isLook) looked = now;
          if (ran) {
            const each = ran.milliseconds / steps;
            most = Math.round(Math.min(5000, Math.max(1, 0.5 * most + (0.5 * SLICE) / Math.max(each, 1e-3))));
          }
          if (this.place.diverged === this.place.step) this.isPlaying = false;
          await frame;
        } else {
          await new Promise((done) => requestAnimationFrame(done));
        }
        if (now - counted.at > 1000) {
          this.speed = Math.round(((this.place.step - counted.step) * 1000) / (now - counted.at));
          counted = { at: now, step: this.place.step };
          this.rested = this.place.step;
        }
      }
      if (turn === this.#turn) await this.#show(turn, []);
      if (turn === this.#turn) this.rested = this.place.step;
    } catch (error) {
      this.isPlaying = false;
      this.problem = toldOfTraining(error);
    }
  }

  async #now(question: Record<string, unknown>): Promise<void> {
    if (!this.run) return;
    try {
      await this.#show(this.#turn, [{ ...question, id: this.run.id }]);
      this.rested = this.place.step;
    } catch (error) {
      this.problem = toldOfTraining(error);
    }
  }

  async stepOnce(): Promise<void> {
    this.pause();
    await this.#now({ op: "train_run", steps: 1 });
  }

  #going = false;
  #wanted: number | null = null;

  /** Goes to a step that was reached; of several that are asked for while one is on the way, the last. */
  async go(step: number): Promise<void> {
    this.pause();
    this.#wanted = step;
    if (this.#going) return;
    this.#going = true;
    while (this.#wanted !== null) {
      const next: number = this.#wanted;
      this.#wanted = null;
      await this.#now({ op: "train_go", step: next });
    }
    this.#going = false;
  }

  /** Another learning rate from here on. */
  async setRate(rate: number): Promise<void> {
    this.settings.rate = rate;
    this.goal = null;
    const at = this.place.step;
    if (at === 0) return this.open();
    this.costs = this.costs.filter((own) => own.step <= at);
    this.rates = [...this.rates.filter(([step]) => step < at), [at, rate]];
    await this.#now({ op: "train_rate", rate });
  }

  /** The next update as an example that can be opened. */
  async update(title: (rows: number, batch: number) => string): Promise<{ state: State } | undefined> {
    if (!this.run) return undefined;
    this.pause();
    const question = { op: "train_update", id: this.run.id, title: "", most: MOST_ROWS };
    const { state, rows, batch } = (await this.#remote.ask<{ state: State; rows: number; batch: number }>(question)).ok;
    return { state: { ...state, title: title(rows, batch) } };
  }

}

/** Points of a person's own for an address: what was set by hand, or a file with what was chosen of it. */
export async function writtenOwn({ own, sheet, columns }: Training): Promise<string | null> {
  const chosen = $state.snapshot(columns);
  if (!sheet) return packedIfShort(JSON.stringify({ points: own }));
  const whole = await packedIfShort(JSON.stringify({ sheet, columns: chosen }));
  if (whole !== null) return whole;
  // The three columns alone may be short enough.
  const places = [chosen.x, chosen.y, chosen.target];
  const part: Sheet = {
    name: sheet.name,
    columns: places.map((at) => sheet.columns[at] ?? ""),
    rows: sheet.rows.map((row) => places.map((at) => row[at] ?? "")),
    numeric: [0, 1, ...(sheet.numeric.includes(chosen.target) ? [2] : [])],
  };
  return packedIfShort(JSON.stringify({ sheet: part, columns: { x: 0, y: 1, target: 2 } }));
}

/** What an address says of them, if that can be read. */
export async function readOwn(text: string): Promise<{ points: Point[] } | { sheet: Sheet; columns: Chosen } | null> {
  const isTexts = (own: unknown): own is string[] => Array.isArray(own) && own.every((cell) => typeof cell === "string");
  try {
    const { points, sheet, columns } = JSON.parse(await unpacked(text));
    const isPoint = (own: unknown): boolean =>
      Array.isArray(own) && own.length === 3 && Number.isFinite(own[0]) && Number.isFinite(own[1]) && typeof own[2] === "string";
    if (Array.isArray(points)) return points.every(isPoint) ? { points } : null;
    const isPlace = (at: unknown): boolean => Number.isInteger(at) && Number(at) >= 0 && Number(at) < sheet.columns.length;
    const isSheet =
      typeof sheet.name === "string" && isTexts(sheet.columns) && sheet.rows.every(isTexts) && sheet.numeric.every(isPlace) &&
      [columns.x, columns.y, columns.target].every(isPlace);
    return isSheet ? { sheet, columns } : null;
  } catch {
    return null;
  }
}

let shared: Training | undefined;

/** The run of this page: who comes back from another view finds it where it was. */
export function training(): Training {
  shared ??= new Training();
  return shared;
}

/** The most updates that an address has trained again: some seconds. */
export const MOST_AGAIN = 50_000;

/** Where a run is, for an address: the step, and each rate that was set on the way. */
export function writtenPlace({ rested, rates }: Training): string | undefined {
  if (rested === 0) return undefined;
  return [rested, ...rates.filter(([step]) => step <= rested).flat()].join("_");
}

/** What an address says of it; null if that cannot be read. */
export function readPlace(text: string): { step: number; rates: [number, number][] } | null {
  const [step = NaN, ...rest] = text.split("_").map(Number);
  const rates = Array.from({ length: rest.length / 2 }, (_, at): [number, number] => [rest[2 * at] ?? NaN, rest[2 * at + 1] ?? NaN]);
  const isStep = (own: number): boolean => Number.isInteger(own) && own > 0;
  const isRead = isStep(step) && rates.every(([from, rate]) => isStep(from) && rate >= 1e-5 && rate <= 100);
  return isRead ? { step, rates: rates.sort((a, b) => a[0] - b[0]) } : null;
}

/** Settings in the address: short, and each with its name. */
export function written(own: Settings): string {
  return [own.set, own.points, own.noise, own.hidden.join("-"), own.activation, own.optimizer, own.rate, own.l2, own.batch, own.test, own.seed].join("_");
}

/** Settings of an address; what cannot be read is as usual. */
export function readSettings(text: string): Settings {
  const all = [...SETS, "own"];
  // A name of an activation may hold the separator.
  const parts = text.replace("leaky_relu", "leaky-relu").split("_").map((part) => part.replace("leaky-relu", "leaky_relu"));
  const [set, points, noise, hidden, activation, optimizer, rate, l2, batch, test, seed] = parts;
  const number = (part: string | undefined, usual: number, least: number, most: number): number => {
    const own = part === undefined || part === "" ? NaN : Number(part);
    return Number.isFinite(own) ? Math.min(most, Math.max(least, own)) : usual;
  };
  const units = (hidden ?? "").split("-").map(Number);
  const isLayers = units.length <= MOST_LAYERS && units.every((own) => Number.isInteger(own) && own >= 1 && own <= MOST_UNITS);
  const one = <T extends string>(part: string | undefined, all: readonly T[], usual: T): T => all.find((own) => own === part) ?? usual;
  return {
    set: one(set, all, "circles"),
    points: Math.round(number(points, DEFAULTS.points, 10, 1000)),
    noise: number(noise, 1, 0, 4),
    hidden: hidden === "" ? [] : isLayers ? units : [...DEFAULTS.hidden],
    activation: one(activation, ACTIVATIONS, "tanh"),
    optimizer: one(optimizer, OPTIMIZERS, "adam"),
    rate: number(rate, DEFAULTS.rate, 1e-5, 100),
    l2: number(l2, 0, 0, 1),
    batch: Math.round(number(batch, DEFAULTS.batch, 0, 1000)),
    test: number(test, DEFAULTS.test, 0, 0.9),
    seed: Math.round(number(seed, 1, 0, 1e9)),
  };
}
