import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../../engine/ports.ts';
import { errnoOf } from '../network/errors.ts';
import type { Redactor } from './redactor.ts';

export type LogLevel = 'info' | 'warn' | 'error';

export interface Log {
  /** One line: what happened, and what belongs to it. Nothing secret reaches the file, whatever is given. */
  write(level: LogLevel, event: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface LogFileOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly redactor: Redactor;
  /** Bytes after which a new file is begun; the earlier ones are `<path>.1`, the newest, to `<path>.<kept>`. */
  readonly limit?: number;
  readonly kept?: number;
  /** Told once when lines cannot be written: a full disk must not stop backups. */
  readonly onProblem?: (error: unknown) => void;
}

/** JSON lines, for this user only. Written at once: what happened right before a crash is what is looked for. A service writes a few a day. */
export function logFile(options: LogFileOptions): Log {
  const { path, clock, redactor, limit = 2 ** 20, kept = 5, onProblem } = options;
  let size: number | null = null;
  let broken = false;

  function rotate(): void {
    for (let index = kept - 1; index >= 0; index -= 1) {
      const from = index === 0 ? path : `${path}.${index}`;
      if (statSync(from, { throwIfNoEntry: false }) !== undefined) renameSync(from, `${path}.${index + 1}`);
    }
    size = 0;
  }

  function append(line: string): void {
    if (size === null) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    }
    if (size > 0 && size + line.length > limit) rotate();
    appendFileSync(path, line, { mode: 0o600 });
    size += Buffer.byteLength(line);
  }

  return {
    write(level, event, fields = {}) {
      const line = `${JSON.stringify({ time: new Date(clock.now()).toISOString(), level, event, ...(redactor.value(fields) as object) })}\n`;
      try {
        try {
          append(line);
        } catch (error) {
          if (errnoOf(error) !== 'ENOENT') throw error;
          // Its folder was removed meanwhile: it is made anew.
          size = null;
          append(line);
        }
      } catch (error) {
        if (!broken) onProblem?.(error);
        broken = true;
      }
    },
  };
}
