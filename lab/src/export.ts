// Pictures of steps as files: SVG from the engine, drawn on a canvas for PNG, GIF and video.

import { GIFEncoder, applyPalette, quantize } from "gifenc";
import { engine } from "./engine";
import { lab, say } from "./state.svelte";
import type { Level } from "./types";

/** A drawing in the size of its own units; on a canvas that is given, whose size a film keeps, at its top. */
async function canvasOf(svg: string, given?: HTMLCanvasElement): Promise<HTMLCanvasElement> {
  const canvas = given ?? document.createElement("canvas");
  const image = new Image();
  const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    image.src = url;
    await image.decode();
    if (!given) {
      canvas.width = image.naturalWidth;
      canvas.height = image.naturalHeight;
    }
    const context = canvas.getContext("2d");
    if (context) {
      // The paper of the page's theme, also where the drawing's own ends.
      context.fillStyle = getComputedStyle(document.body).backgroundColor;
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(image, 0, 0);
    }
  } finally {
    URL.revokeObjectURL(url);
  }
  return canvas;
}

export function pictureOf(level: Level, at: number | null): string {
  return engine().ask<{ svg: string }>({ op: "picture", id: lab.opened?.id, level, at, language: lab.language }).svg;
}

export async function png(level: Level, at: number | null): Promise<Blob> {
  const canvas = await canvasOf(pictureOf(level, at));
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error(say("lab.save_failed")))), "image/png"),
  );
}

/** Seconds that a step is seen. */
export const SECONDS = 1.2;

/** Each step of a level and the end. */
export function stepsOf(count: number): (number | null)[] {
  return [...Array.from({ length: count }, (_, at) => at), null];
}

/** All steps as a GIF, which goes on from the start at its end. */
export async function gif(level: Level, count: number, told: (share: number) => void): Promise<Blob> {
  const encoder = GIFEncoder();
  const steps = stepsOf(count);
  let canvas: HTMLCanvasElement | undefined;
  for (const [done, at] of steps.entries()) {
    canvas = await canvasOf(pictureOf(level, at), canvas);
    const { data, width, height } = canvas.getContext("2d", { willReadFrequently: true })!.getImageData(0, 0, canvas.width, canvas.height);
    const palette = quantize(data, 64);
    encoder.writeFrame(applyPalette(data, palette), width, height, { palette, delay: 1000 * SECONDS });
    told((done + 1) / steps.length);
    await new Promise((resolve) => setTimeout(resolve));
  }
  encoder.finish();
  return new Blob([encoder.bytes() as Uint8Array<ArrayBuffer>], { type: "image/gif" });
}

/** The kind of video that this browser can make; none where it makes none. */
export function videoType(): string | undefined {
  if (typeof MediaRecorder === "undefined") return undefined;
  return ["video/mp4;codecs=avc1.42E01E", "video/webm;codecs=vp9", "video/webm;codecs=vp8"].find((type) => MediaRecorder.isTypeSupported(type));
}

/** All steps as a video; it takes as long as the video lasts. */
export async function video(level: Level, count: number, told: (share: number) => void): Promise<Blob> {
  const type = videoType();
  if (!type) throw new Error(say("lab.save_no_video"));
  const steps = stepsOf(count);
  const canvas = await canvasOf(pictureOf(level, steps[0] ?? null));
  const recorder = new MediaRecorder(canvas.captureStream(10), { mimeType: type, videoBitsPerSecond: 4_000_000 });
  const parts: Blob[] = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const ended = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.start();
  const from = performance.now();
  for (const [done, at] of steps.entries()) {
    await canvasOf(pictureOf(level, at), canvas);
    // A canvas that does not change sends no frame; some recorders end at the last one.
    while (performance.now() < from + 1000 * SECONDS * (done + 1)) {
      const context = canvas.getContext("2d");
      context?.drawImage(canvas, 0, 0);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    told((done + 1) / steps.length);
  }
  recorder.stop();
  await ended;
  return new Blob(parts, { type });
}
