// Where one is in the steps of what is open, and how one moves: to a step, to another level, or by playing.

import { engine } from "./engine";
import { isLarge, isReduced, lab } from "./state.svelte";
import type { Level, Scene, Step } from "./types";

const LEVELS: Level[] = ["pass", "layer", "example", "unit", "term"];

/** Before, at or after, in the order of computation. */
function order(a: [number, number], b: [number, number]): number {
  return a[0] - b[0] || a[1] - b[1];
}

export class Stepping {
  /** How far the animation of the step is. */
  progress = $state(1);
  isPlaying = $state(false);
  /** Times the usual speed. */
  speed = $state(1);
  #lists = new Map<string, Step[]>();
  #run = 0;

  readonly steps = $derived.by(() => this.list(lab.level));
  readonly levels = $derived.by((): Level[] => {
    // A level that shows nothing else than another is none; that of units stays, since one begins there.
    const counts = new Map<number, Level>();
    if (lab.opened && isLarge(lab.opened)) return LEVELS.slice(0, 2);
    // A formula has gates, and neither layers nor examples.
    if (lab.opened?.kind === "formula") return ["pass", "unit", "term"];
    for (const level of LEVELS) {
      const count = this.list(level).length;
      if (!counts.has(count) || level === "unit") counts.set(count, level);
    }
    return LEVELS.filter((level) => [...counts.values()].includes(level));
  });
  readonly step = $derived(lab.at === null ? undefined : this.steps[lab.at]);
  readonly scene = $derived.by(() => this.#scene());
  readonly done = $derived.by(() => {
    const end = lab.at === null ? this.steps.length : lab.at + 1;
    return this.steps.slice(0, end).reduce((sum, step) => sum + step.multiply_adds, 0);
  });
  width = $state(800);

  list(level: Level): Step[] {
    const opened = lab.opened;
    if (!opened) return [];
    const key = `${opened.id}.${level}`;
    let list = this.#lists.get(key);
    if (!list) {
      list = engine().ask<{ steps: Step[] }>({ op: "steps", id: opened.id, level }).steps;
      this.#lists.set(key, list);
    }
    return list;
  }

  #scene(): Scene | undefined {
    const opened = lab.opened;
    if (!opened) return undefined;
    const width = Math.round(Math.min(1000, this.width));
    return engine().ask<Scene>({
      op: "scene",
      id: opened.id,
      level: lab.level,
      // What was opened last may have fewer steps than what was open when `at` was chosen.
      at: this.step ? lab.at : null,
      // The height is that which the example needs, and it is wider where it could not be read otherwise.
      width,
      language: lab.language,
    });
  }

  /** The last step of a pass, at the present level. */
  lastOf(pass: Step["pass"]): number {
    return this.steps.findLastIndex((step) => step.pass === pass);
  }

  firstOf(pass: Step["pass"]): number {
    return this.steps.findIndex((step) => step.pass === pass);
  }

  pause(): void {
    this.#run += 1;
    this.isPlaying = false;
    this.progress = 1;
  }

  go(at: number | null): void {
    this.pause();
    const to = at === null ? null : Math.max(0, at);
    lab.at = to === null || to >= this.steps.length ? null : to;
  }

  back(): void {
    this.go(lab.at === null ? this.steps.length - 1 : lab.at - 1);
  }

  forward(): void {
    if (lab.at !== null) void this.play(lab.at + 1, lab.at + 1, 1.2);
  }

  /** Looks more or less closely at what is being looked at. */
  setLevel(level: Level): void {
    this.pause();
    const here = this.step;
    const isCloser = LEVELS.indexOf(level) > LEVELS.indexOf(lab.level);
    const list = this.list(level);
    lab.level = level;
    if (!here) return;
    const at = isCloser
      ? list.findIndex((step) => order(step.start, here.start) >= 0)
      : list.findLastIndex((step) => order(step.start, here.start) <= 0);
    lab.at = at < 0 ? null : at;
  }

  closer(): void {
    const next = this.levels[this.levels.indexOf(lab.level) + 1];
    if (next) this.setLevel(next);
  }

  farther(): void {
    const before = this.levels[this.levels.indexOf(lab.level) - 1];
    if (before) this.setLevel(before);
  }

  /** Plays from a step to another, in so many seconds; the first of a kind takes twice as long as those like it. */
  async play(from: number, to: number, seconds: number): Promise<void> {
    this.pause();
    const run = this.#run;
    const end = Math.min(to, this.steps.length);
    const kinds = new Set<string>();
    const weights: number[] = [];
    for (let at = from; at <= end; at++) {
      const step = this.steps[at];
      const kind = step ? `${step.pass}.${step.makes}.${step.layer}` : "end";
      weights.push(kinds.has(kind) ? 1 : 2);
      kinds.add(kind);
    }
    const whole = weights.reduce((sum, weight) => sum + weight, 0);
    this.isPlaying = true;
    for (let at = from; at <= end; at++) {
      lab.at = at >= this.steps.length ? null : at;
      const isDone = await this.#animate(run, (1000 * seconds * (weights[at - from] ?? 1)) / whole);
      if (!isDone) return;
    }
    this.isPlaying = false;
  }

  #animate(run: number, milliseconds: number): Promise<boolean> {
    if (isReduced()) {
      this.progress = 1;
      return new Promise((resolve) => setTimeout(() => resolve(run === this.#run), Math.min(milliseconds, 700)));
    }
    this.progress = 0;
    return new Promise((resolve) => {
      let before = performance.now();
      const frame = (now: number): void => {
        if (run !== this.#run) return resolve(false);
        this.progress = Math.min(1, this.progress + ((now - before) * this.speed) / milliseconds);
        before = now;
        if (this.progress < 1) requestAnimationFrame(frame);
        else resolve(true);
      };
      requestAnimationFrame(frame);
    });
  }
}
