import { libc } from './libc.ts';

/** Two parts of a cloud: some milliseconds once a second on a fast line. */
const bytesBetween = 32 * 2 ** 20;

/**
 * To be told of the bytes that a job has moved: now and then gives back what the C library holds of what was freed. The threads that Node begins with
 * have arenas before any of our code runs, so the threads of a job are spread over more of them than we allow, and in each of them what was freed gathers.
 */
export function trimmer(trim: () => void = () => libc()?.malloc_trim?.(0)): (bytes: number) => void {
  let moved = 0;
  return (bytes) => {
    moved += bytes;
    if (moved < bytesBetween) return;
    moved = 0;
    trim();
  };
}
