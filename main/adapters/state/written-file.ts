import { readFile, rename } from 'node:fs/promises';
import type { z } from 'zod';
import type { Fault } from '../../contract/faults.ts';
import { notWritten } from '../files/not-written.ts';
import { replaceFile } from '../files/replace-file.ts';

export type FileProblem = (message: string, error: unknown) => void;

export interface WrittenFile {
  /** It is written soon. */
  readonly changed: () => void;
  /** Settles to null once what it holds is on disk, else to why it is not; then the next one tries again. Never rejects. */
  readonly flush: () => Promise<Fault | null>;
  /** Why the last writing failed; null where it did not. */
  readonly failure: () => Fault | null;
}

/** A JSON file of what `content` gives, replaced in one step. A failure is told once, until a writing has worked. */
export function writtenFile(options: {
  readonly path: string;
  readonly content: () => unknown;
  readonly onProblem: FileProblem;
}): WrittenFile {
  const { path, content, onProblem } = options;
  let dirty = false;
  let failure: Fault | null = null;
  let writing: Promise<void> | null = null;

  async function writeAll(): Promise<void> {
    // Whatever is put in the same turn goes into one writing.
    await Promise.resolve();
    try {
      while (dirty) {
        dirty = false;
        await replaceFile(path, `${JSON.stringify(content())}\n`);
        failure = null;
      }
    } catch (error) {
      // Written with the next change, or the next flush: the same is not said each time.
      dirty = true;
      if (failure === null) onProblem(`${path} could not be written`, error);
      failure = notWritten(path, error, 'write state');
    }
    writing = null;
  }

  function changed(): void {
    dirty = true;
    writing ??= writeAll();
  }

  return {
    changed,
    failure: () => failure,
    async flush() {
      if (dirty) changed();
      while (writing !== null) await writing;
      return dirty ? failure : null;
    },
  };
}

/** Null where there is none. One that cannot be understood is told, and put aside as `<path>.unreadable`. */
export async function readJson<T>(path: string, schema: z.ZodType<T>, onProblem: FileProblem): Promise<T | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) onProblem(`${path} could not be read`, error);
    return null;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    onProblem(`${path} could not be understood and was put aside`, error);
    await rename(path, `${path}.unreadable`).catch((failed: unknown) => onProblem(`${path} could not be put aside`, failed));
    return null;
  }
}

/** One entry of such a file, or none where it cannot be understood, which is told. */
export function readable<T>(path: string, what: string, schema: z.ZodType<T>, entry: unknown, onProblem: FileProblem): readonly T[] {
  const read = schema.safeParse(entry);
  if (read.success) return [read.data];
  onProblem(`${what} in ${path} could not be understood and was left out`, read.error);
  return [];
}
