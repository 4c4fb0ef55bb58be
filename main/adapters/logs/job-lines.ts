import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** What is read of a line that log-file.ts wrote. */
const lineSchema = z.looseObject({ time: z.string(), level: z.enum(['info', 'warn', 'error']), event: z.string(), job: z.string() });

export interface JobLogLine {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly level: 'info' | 'warn' | 'error';
  readonly event: string;
  /** All else that belongs to it, the job's id left out. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface JobLines {
  /** Newest last. */
  readonly lines: readonly JobLogLine[];
  /** The line that `isFirst` knows was found. */
  readonly whole: boolean;
}

/**
 * The lines of one job in the file at `path` and in those that were rotated away from it. From the newest file back to the one where the job began,
 * so that a job that runs costs one file.
 */
export async function jobLines(path: string, job: string, isFirst: (line: JobLogLine) => boolean): Promise<JobLines> {
  const lines: JobLogLine[] = [];
  // A file that is rotated between two readings is met again under its next name.
  const known = new Set<string>();
  for (let index = 0; ; index += 1) {
    const text = await textOf(index === 0 ? path : `${path}.${index}`);
    if (text === null && index > 0) break;
    const found = (text ?? '').split('\n').filter((line) => line.includes(`"job":${JSON.stringify(job)}`) && !known.has(line));
    for (const line of found) known.add(line);
    lines.unshift(...found.flatMap((line) => lineOf(line, job)));
    if (lines.some(isFirst)) break;
  }
  return { lines, whole: lines.some(isFirst) };
}

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

function lineOf(text: string, job: string): readonly JobLogLine[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // A line that a crash or a full disk cut off says nothing.
    return [];
  }
  const line = lineSchema.safeParse(parsed);
  if (!line.success || line.data.job !== job) return [];
  const { time, level, event } = line.data;
  const fields = Object.entries(line.data).filter(([name]) => !(name in lineSchema.shape));
  return [{ at: Date.parse(time), level, event, fields: Object.fromEntries(fields) }];
}
