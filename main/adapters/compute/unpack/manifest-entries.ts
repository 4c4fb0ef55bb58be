import type { ManifestEntry } from '../../../engine/snapshots/manifest-entry.ts';
import { parseEntry } from '../../../engine/snapshots/read-entry.ts';
import type { Monitor } from '../monitor.ts';
import { spoolLines } from '../spool-lines.ts';
import type { ManifestFile } from './messages.ts';

/**
 * The entries of a manifest, in its order, until the job is stopped; with `type` those of one type, and other lines are not taken apart. Going through it
 * once more costs less memory than keeping what it says of a million links.
 */
export function* manifestEntries(manifest: ManifestFile, monitor: Monitor, type?: ManifestEntry['type']): Generator<ManifestEntry> {
  let first = true;
  for (const line of spoolLines(manifest.handle, manifest.size)) {
    if (monitor.stopped) return;
    if (!first && (type === undefined || mayBeOf(type, line))) {
      const entry = parseEntry(line.toString('utf8'), manifest.name);
      if (type === undefined || entry.type === type) yield entry;
    }
    first = false;
  }
}

/** JSON can also write a letter as its number: then the line has to be taken apart to tell. */
function mayBeOf(type: ManifestEntry['type'], line: Buffer): boolean {
  return line.includes(`"${type}"`) || line.includes('\\u');
}
