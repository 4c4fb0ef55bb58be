import type { Job } from '../../main/contract/jobs.ts';

/** How fast a job goes, from what it told of itself. */
export interface Pace {
  /** 0 to 1; null while the total is not known. */
  readonly part: number | null;
  /** Bytes a second over the last seconds; null in the beginning. */
  readonly speed: number | null;
  /** Seconds; null while nobody can say. */
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

  put(job: Job, now: number): Pace {
    const { progress } = job;
    if (progress === null) {
      this.#samples.delete(job.id);
      return { part: null, speed: null, left: null };
    }
    const samples = this.#samples.get(job.id) ?? [];
    // Another phase counts anew.
    if ((samples.at(-1)?.bytes ?? 0) > progress.bytes) samples.length = 0;
    samples.push({ at: now, bytes: progress.bytes });
    while (samples.length > 2 && (samples[0]?.at ?? now) < now - windowMs) samples.shift();
    this.#samples.set(job.id, samples);
    const first = samples[0] ?? { at: now, bytes: progress.bytes };
    const seconds = (now - first.at) / 1000;
    const speed = seconds < 1 ? null : (progress.bytes - first.bytes) / seconds;
    const { totalBytes } = progress;
    const part = totalBytes === null || totalBytes === 0 ? null : Math.min(1, progress.bytes / totalBytes);
    const ran = job.startedAt === null ? 0 : now - job.startedAt;
    const left =
      totalBytes === null || speed === null || speed <= 0 || ran < earliestMs ? null : Math.max(0, totalBytes - progress.bytes) / speed;
    return { part, speed, left };
  }
}
