import { constants, openSync } from 'node:fs';

/** The descriptor of a pipe opened for writing; none while nobody reads from it. */
export function openedForWriting(pipe: string): number[] {
  try {
    return [openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK)];
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENXIO') return [];
    throw error;
  }
}
