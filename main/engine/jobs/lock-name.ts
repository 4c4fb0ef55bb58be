import type { OpenDestination } from '../engine.ts';

/** The name under which one run at a time works on a server. A folder goes by where it really lies: links spell it in many ways. */
export function lockName(destination: OpenDestination, slug: string): string {
  const place = destination.localPath ?? JSON.stringify(destination.settings);
  return `server ${place} ${slug}`;
}
