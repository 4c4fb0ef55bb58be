import type { OpenDestination } from '../engine.ts';

/** The name under which one run at a time works on a server. A folder goes by where it really lies: links spell it in many ways. */
export function lockName(destination: OpenDestination, slug: string): string {
  const place = destination.localPath ?? JSON.stringify(destination.settings);
  return `server ${place} ${slug}`;
}

/** What is locked by a name that lockName() made, for people. */
export function lockedServer(name: string): string {
  // No slug has a space.
  return `the server ${name.slice(name.lastIndexOf(' ') + 1)}`;
}
