import type { CallHandlers } from '../../contract/calls.ts';
import type { EntryRow, SnapshotRow } from '../../contract/reports.ts';
import type { SnapshotSummary } from '../../contract/snapshot-calls.ts';
import type { ServerSettings } from '../../contract/server-settings.ts';
import type { OpenDestination, SnapshotSelector } from '../engine.ts';
import { policyOf } from './backup-job.ts';
import type { ServiceHost } from './ports.ts';

export type SnapshotCalls = Pick<
  CallHandlers,
  | 'snapshots.list'
  | 'snapshot.newest'
  | 'snapshot.entries'
  | 'snapshot.search'
  | 'snapshot.changes'
  | 'snapshot.pin'
  | 'snapshot.unpin'
  | 'cleanup.preview'
>;

interface Asked {
  readonly slug: string;
  readonly destination: string;
  readonly snapshot: string;
}

/** What is stored of a server, and what is in it. Read from manifests as they come: only what is told is held in memory. */
export function snapshotCalls(host: ServiceHost, serverOf: (slug: string) => ServerSettings): SnapshotCalls {
  const { engine } = host;

  async function found(asked: Asked): Promise<readonly [OpenDestination, SnapshotSelector]> {
    const server = serverOf(asked.slug).name;
    return [await host.openDestination(asked.destination), { snapshot: asked.snapshot, server }];
  }

  return {
    'snapshots.list': async ({ slug, destination }, signal) => {
      const rows = await engine.snapshots(await host.openDestination(destination), { server: serverOf(slug).name }, { signal });
      return rows.map(summary);
    },
    'snapshot.newest': async ({ slug, destination }, signal) => {
      const row = await engine.newest(await host.openDestination(destination), { server: serverOf(slug).name }, { signal });
      return row === null ? null : summary(row);
    },
    'snapshot.entries': async ({ path, ...asked }, signal) => {
      const [place, selector] = await found(asked);
      const folder = path.replace(/^(\.?\/)+|\/+$/g, '').replace(/^\.$/, '');
      const entries: EntryRow[] = [];
      // All that is below is passed on the way, so that what a folder holds is known without a further look.
      const below = new Map<string, number>();
      for await (const entry of engine.list(place, { ...selector, path }, { signal })) {
        const inside = entryOf(folder, entry.path);
        if (inside === entry.path) entries.push(entry);
        else if (inside !== null) below.set(inside, (below.get(inside) ?? 0) + entry.size);
      }
      return entries.map((entry) => (entry.type === 'directory' ? { ...entry, size: below.get(entry.path) ?? 0 } : entry));
    },
    'snapshot.search': async ({ text, limit, ...asked }, signal) => {
      const [place, selector] = await found(asked);
      const wanted = plain(text);
      const entries: EntryRow[] = [];
      for await (const entry of engine.list(place, selector, { signal })) {
        if (!plain(entry.path).includes(wanted)) continue;
        if (entries.length === limit) return { entries, more: true };
        entries.push(entry);
      }
      return { entries, more: false };
    },
    'snapshot.changes': async ({ limit, ...asked }, signal) => {
      const [place, selector] = await found(asked);
      const { list, ...counts } = await engine.changes(place, { ...selector, limit }, { signal });
      return { ...counts, list: [...list] };
    },
    'snapshot.pin': async ({ note, ...asked }, signal) => {
      const [place, selector] = await found(asked);
      await engine.pin(place, { ...selector, note }, { signal });
      return {};
    },
    'snapshot.unpin': async (asked, signal) => {
      const [place, selector] = await found(asked);
      await engine.unpin(place, selector, { signal });
      return {};
    },
    'cleanup.preview': async ({ slug, destination }, signal) => {
      const { name, keep, zone } = serverOf(slug);
      const policy = policyOf(keep);
      // Nothing is written: whoever may read may look, also at what another computer owns.
      const request = { server: name, policy, zone, dryRun: true, takeOver: true };
      const report = await engine.prune(await host.openDestination(destination), request, { signal });
      return {
        keep: report.keep.map(({ id, reasons }) => ({ id, reasons: [...reasons] })),
        remove: report.remove.map(({ id }) => id),
        // Without rules nothing is ever cleaned up, not even what crashed runs left.
        freedBytes: Object.keys(policy).length === 0 ? 0 : report.freedBytes,
      };
    },
  };
}

function summary(row: SnapshotRow): SnapshotSummary {
  const { id, time, files, bytes, storedBytes, inheritedBytes, complete, newest, pinned, note, problem } = row;
  return {
    ...{ id, time, files, bytes, storedBytes, complete, pinned },
    ...(newest === undefined ? {} : { newest }),
    ...(inheritedBytes === undefined ? {} : { inheritedBytes }),
    ...(note === undefined ? {} : { note }),
    ...(problem === undefined ? {} : { problem }),
  };
}

/** The entry directly in the folder that a path is or lies in; an empty folder is the server's own. Null: neither. */
function entryOf(folder: string, path: string): string | null {
  if (path === '.' || path === folder) return null;
  const slash = path.indexOf('/', folder === '' ? 0 : folder.length + 1);
  return slash < 0 ? path : path.slice(0, slash);
}

/** As people compare: some computers write an umlaut as two characters. */
function plain(text: string): string {
  return text.normalize('NFC').toLowerCase();
}
