import type { Job } from '../../main/contract/jobs.ts';

/** How fast a job goes, from what it told of itself. */
export interface Pace {
  /** 0 to 1; null while the total is not known. */
  readonly part: number | null;
  /** Bytes a second over the last seconds; null in the beginning. */
  readonly speed: number | null;
  /** Seconds, by the speed of all of the phase: data goes out by the part, and over a slow line stands still in between. Null while nobody can say. */
  readonly left: number | null;
}

interface Sample {
  readonly at: number;
  readonly bytes: number;
}

const windowMs = 10_000;
const earliestMs = 5_000;

/** Keeps the last ten seconds of each running job. */
export class Paces {
  readonly #samples = new Map<string, Sample[]>();
  /** Where the phase of each began, or where its total came to be known: what is on its way at once had been read by then. */
  readonly #begun = new Map<string, Sample & { readonly isTotalKnown: boolean }>();

  put(job: Job, now: number): Pace {
    const { progress } = job;
    if (progress === null) {
      this.#samples.delete(job.id);
      this.#begun.delete(job.id);
      return { part: null, speed: null, left: null };
    }
    const samples = this.#samples.get(job.id) ?? [];
    // Another phase counts anew.
    if ((samples.at(-1)?.bytes ?? 0) > progress.bytes) samples.length = 0;
    const isTotalKnown = progress.totalBytes !== null;
    if (samples.length === 0 || this.#begun.get(job.id)?.isTotalKnown !== isTotalKnown)
      this.#begun.set(job.id, { at: now, bytes: progress.bytes, isTotalKnown });
    samples.push({ at: now, bytes: progress.bytes });
    while (samples.length > 2 && (samples[0]?.at ?? now) < now - windowMs) samples.shift();
    this.#samples.set(job.id, samples);
    const first = samples[0] ?? { at: now, bytes: progress.bytes };
    const seconds = (now - first.at) / 1000;
    const speed = seconds < 1 ? null : (progress.bytes - first.bytes) / seconds;
    const { totalBytes } = progress;
    const part = totalBytes === null || totalBytes === 0 ? null : Math.min(1, progress.bytes / totalBytes);
    const begun = this.#begun.get(job.id) ?? first;
    const mean = ((progress.bytes - begun.bytes) / (now - begun.at)) * 1000;
    const left = totalBytes === null || !(mean > 0) || now - begun.at < earliestMs ? null : Math.max(0, totalBytes - progress.bytes) / mean;
    return { part, speed, left };
  }
}
