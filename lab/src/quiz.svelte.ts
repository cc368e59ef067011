// The learner's score, kept in the browser where it keeps anything.

import { remember, remembered } from "./state.svelte";

interface Kept {
  asked: number;
  right: number;
  streak: number;
  best: number;
}

class Score {
  asked = $state(0);
  right = $state(0);
  streak = $state(0);
  best = $state(0);

  constructor() {
    try {
      const kept = JSON.parse(remembered("score") ?? "{}") as Partial<Kept>;
      const count = (x: unknown): number => (typeof x === "number" && Number.isFinite(x) ? x : 0);
      this.asked = count(kept.asked);
      this.right = count(kept.right);
      this.streak = count(kept.streak);
      this.best = count(kept.best);
    } catch {
      // What cannot be read is begun anew.
    }
  }

  /** Counts a question once: by its first answer. */
  add(isRight: boolean): void {
    this.asked += 1;
    if (isRight) this.right += 1;
    this.streak = isRight ? this.streak + 1 : 0;
    this.best = Math.max(this.best, this.streak);
    const { asked, right, streak, best } = this;
    remember("score", JSON.stringify({ asked, right, streak, best }));
  }
}

export const score = new Score();

/** A number as people write it: with a comma, a real minus sign, spaces. */
export function numberIn(text: string): number | undefined {
  const plain = text.trim().replaceAll("−", "-").replaceAll(" ", "").replace(",", ".");
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain) ? Number(plain) : undefined;
}

/** States that show what goes wrong, or what surprises; each with the questions that show it. */
export interface Special {
  name: string;
  text: string;
  questions: string[];
}

/** Which of them was opened, and under which number: another example ends it. */
export const chosen = $state<{ special: Special | null; id: number | null }>({ special: null, id: null });

const NAMED = `cost = "squared_error"\nlearning_rate = 0.5\n`;

export const SPECIALS: Special[] = [
  {
    name: "equal",
    text: `inputs = [0.3, 0.8]\ntargets = [1]\n${NAMED}[[layer]]\nweights = [[0.5, 0.5], [0.5, 0.5]]\nactivation = "sigmoid"\n[[layer]]\nweights = [[0.5, 0.5]]\nactivation = "sigmoid"\n`,
    questions: ["larger:gradient.1.0.0,gradient.1.1.0", "larger:delta.1.0,delta.1.1", "number:weight.1.1.0"],
  },
  {
    name: "zero",
    text: `inputs = [0, 1]\ntargets = [1]\n${NAMED}[[layer]]\nweights = [[0.4, -0.3], [0.9, 0.2]]\nactivation = "sigmoid"\n[[layer]]\nweights = [[0.7, -0.6]]\nactivation = "sigmoid"\n`,
    questions: ["sign:gradient.1.0.0", "number:weight.1.0.0", "larger:gradient.1.0.0,gradient.1.0.1"],
  },
  {
    name: "saturated",
    text: `inputs = [1, 1]\ntargets = [0]\n${NAMED}[[layer]]\nweights = [[4, 4], [0.3, -0.2]]\nactivation = "sigmoid"\n[[layer]]\nweights = [[0.5, 0.5]]\nactivation = "sigmoid"\n`,
    questions: ["larger:delta.1.0,delta.1.1", "number:delta.1.0", "number:gradient.1.0.0"],
  },
  {
    name: "dead",
    text: `inputs = [1, 0.5]\ntargets = [1]\n${NAMED}[[layer]]\nweights = [[-0.8, -0.6], [0.7, 0.4]]\nactivation = "relu"\n[[layer]]\nweights = [[0.5, 0.3]]\n`,
    questions: ["sign:delta.1.0", "sign:gradient.1.0.0", "number:gradient.1.1.0"],
  },
  {
    name: "twice",
    text: `expression = "b = a + a"\nat = { a = 3 }\n`,
    questions: ["number:derivative.a"],
  },
  {
    name: "batch",
    text: `inputs = [[0.2, 0.9], [0.7, 0.1], [0.5, 0.6]]\ntargets = [[1], [0], [1]]\n${NAMED}[[layer]]\nweights = [[0.4, -0.3], [0.2, 0.8]]\nactivation = "sigmoid"\n[[layer]]\nweights = [[0.6, -0.5]]\nactivation = "sigmoid"\n`,
    questions: ["number:gradient.2.0.0", "number:gradient.1.0.1", "sign:gradient.2.0.1"],
  },
];
