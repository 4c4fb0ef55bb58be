import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isMissing } from './errno.ts';

/** The folder behind all links, also where it or the folders that lead to it are not made yet. */
export async function realPlace(typed: string): Promise<string> {
  const path = resolve(typed);
  try {
    return await realpath(path);
  } catch (error) {
    // What else is wrong with it, the backend says.
    if (!isMissing(error) || dirname(path) === path) return path;
    return join(await realPlace(dirname(path)), basename(path));
  }
}
