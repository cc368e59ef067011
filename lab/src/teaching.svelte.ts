// A teacher's lesson that is open: its steps, and the window with the notes.

import { engine, told, type Said } from "./engine";
import { lab, openExample, openState, packedIfShort, say, setLanguage, unpacked } from "./state.svelte";
import type { Lesson, LessonStep } from "./types";

type Word = { lesson: Lesson; at: number; isShown: boolean } | { wants: true } | { goes: number };

class Teaching {
  lesson = $state.raw<Lesson | undefined>();
  problem = $state<Said>("");
  /** What is said of it beside it. */
  note = $state("");
  /** What is in the address of the lesson that is open, by its key. */
  kept: Record<string, string> = {};
  /** Whether what is covered has been shown. */
  isShown = $state(false);
  at = $derived(Math.min((this.lesson?.steps.length ?? 1) - 1, Math.max(0, (Number(lab.extra.slide) || 1) - 1)));
  step = $derived<LessonStep | undefined>(this.lesson?.steps[this.at]);
}

export const teaching = new Teaching();

/** A lesson's file, unlike an example's, has steps. */
export function isLesson(text: string): boolean {
  return /^\s*\[\[\s*step\s*\]\]/m.test(text);
}

export function openLesson(text: string, source: string): void {
  teaching.note = "";
  try {
    teaching.lesson = engine().ask<Lesson>({ op: "lesson", text, source });
    teaching.problem = "";
    const { language } = teaching.lesson;
    if (language === "en" || language === "ko") void setLanguage(language);
  } catch (error) {
    teaching.lesson = undefined;
    teaching.problem = told(error);
  }
  lab.view = "lesson";
}

/** Opens a lesson of a person's own; the address holds it, if it is not too long. */
export async function openOwnLesson(text: string, name: string): Promise<void> {
  openLesson(text, name);
  if (!teaching.lesson) return;
  const own = await packedIfShort(text);
  keepLesson(own === null ? { file: name } : { toml: own });
  if (own === null) teaching.note = say("lab.teach_address_large", { name });
}

function keepLesson(kept: Record<string, string>): void {
  teaching.kept = kept;
  lab.extra = { ...withoutLesson(lab.extra), ...kept };
}

function withoutLesson({ toml: _, lesson: __, file: ___, ...rest }: Record<string, string>): Record<string, string> {
  return rest;
}

/** Leaves the lesson for another. */
export function closeLesson(): void {
  teaching.lesson = undefined;
  teaching.note = "";
  keepLesson({});
}

/** While the view is shown, the lesson is in the address. */
export function lessonInAddress(isShown: boolean): void {
  const kept = isShown && teaching.lesson ? teaching.kept : {};
  if (isShown && Object.keys(kept).length === 0) return;
  lab.extra = { ...withoutLesson(lab.extra), ...kept };
}

/** Opens the lesson that an address holds or names, unless it is open. */
export async function followLesson(): Promise<void> {
  const { toml, lesson, file } = lab.extra;
  if (lab.view !== "lesson") return;
  if (toml && toml !== teaching.kept.toml) {
    const text = await unpacked(toml).catch(() => null);
    if (text !== null) openLesson(text, say("lab.teach_own"));
    else [teaching.lesson, teaching.problem] = [undefined, say("lab.address_cut")];
    teaching.kept = { toml };
  } else if (lesson && lesson !== teaching.kept.lesson) {
    await fetchLesson(lesson);
  } else if (file && file !== teaching.kept.file) {
    teaching.lesson = undefined;
    teaching.problem = say("lab.teach_address_file", { name: file });
  }
}

/** Opens a lesson of this site by its address. */
export async function fetchLesson(address: string): Promise<void> {
  const url = new URL(address, location.href);
  if (url.origin !== location.origin) {
    teaching.problem = say("lab.teach_none", { name: address });
    lab.view = "lesson";
    return;
  }
  const response = await fetch(url).catch(() => null);
  if (response?.ok) {
    openLesson(await response.text(), address);
    keepLesson({ lesson: address });
  } else {
    teaching.lesson = undefined;
    teaching.problem = say("lab.teach_none", { name: address });
    lab.view = "lesson";
  }
}

/** Opens the example of a step in the page. */
export function openStep(step: LessonStep): void {
  if (step.example) openExample(step.example);
  else openState(step.state);
  lab.level = step.level;
}

export function goToStep(at: number): void {
  const count = teaching.lesson?.steps.length ?? 0;
  if (at < 0 || at >= count) return;
  lab.extra = { ...lab.extra, slide: String(at + 1) };
  teaching.isShown = false;
}

// The notes are in a window of their own; the two tell each other where they are.

const channel = typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel("pullback.lesson");

export function tellNotes(): void {
  if (!teaching.lesson) return;
  const word: Word = { lesson: teaching.lesson, at: teaching.at, isShown: teaching.isShown };
  // What is told is plain data; a proxy cannot be.
  channel?.postMessage(structuredClone(word));
}

export function listen(hasNotes: boolean): () => void {
  const heard = (event: MessageEvent<Word>): void => {
    const word = event.data;
    if (hasNotes && "lesson" in word) {
      teaching.lesson = word.lesson;
      lab.extra = { ...lab.extra, slide: String(word.at + 1) };
    } else if (!hasNotes && "wants" in word) {
      tellNotes();
    } else if (!hasNotes && "goes" in word) {
      goToStep(word.goes);
    }
  };
  channel?.addEventListener("message", heard);
  if (hasNotes) channel?.postMessage({ wants: true } satisfies Word);
  return () => channel?.removeEventListener("message", heard);
}

export function askToGo(at: number): void {
  channel?.postMessage({ goes: at } satisfies Word);
}
