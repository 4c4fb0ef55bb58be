import type { Engine } from './engine.ts';
import type { EngineHost } from './host.ts';
import { backup, backupToAll } from './jobs/backup.ts';
import { changes, diff } from './jobs/changes.ts';
import { find, versions } from './jobs/find.ts';
import { changePassword, kit, openFile } from './jobs/keys.ts';
import { prune } from './jobs/prune.ts';
import { restore } from './jobs/restore.ts';
import { list, newest, openCatalog, snapshots } from './jobs/snapshots.ts';
import { usage } from './jobs/usage.ts';
import { verify } from './jobs/verify.ts';
import { knownPlaces } from './snapshots/known-place.ts';
import { removePin, writePin } from './snapshots/pins.ts';
import { selectSnapshot } from './snapshots/select.ts';
import { loadVault, vaultExists } from './snapshots/vault-store.ts';

/** The engine over a computer. */
export function createEngine(host: EngineHost): Engine {
  const known = knownPlaces();
  return {
    backup: (destination, request, run) => backup(host, destination, request, run),
    backupToAll: (destinations, request, run) => backupToAll(host, destinations, request, run),
    snapshots: (destination, filter, run) => snapshots(host, destination, filter, run, known(destination.backend)),
    newest: (destination, filter, run) => newest(host, destination, filter, run, known(destination.backend)),
    list: (destination, request, run) => list(host, destination, request, run, known(destination.backend)),
    changes: (destination, request, run) => changes(host, destination, request, run, known(destination.backend)),
    diff: (destination, request, run) => diff(host, destination, request, run),
    find: (destination, request, run) => find(host, destination, request, run),
    versions: (destination, request, run) => versions(host, destination, request, run),
    usage: (destination, request, run) => usage(host, destination, request, run),
    restore: (destination, request, run) => restore(host, destination, request, run),
    verify: (destination, request, run) => verify(host, destination, request, run),
    prune: (destination, request, run) => prune(host, destination, request, run, known(destination.backend)),
    pin: async (destination, request, { signal }) => {
      const catalog = await openCatalog(host, destination, { signal });
      const snapshot = await selectSnapshot(catalog, request, { signal });
      await writePin(catalog, snapshot, request.note ?? '', { signal });
      return snapshot.id;
    },
    unpin: async (destination, request, { signal }) => {
      const catalog = await openCatalog(host, destination, { signal });
      const snapshot = await selectSnapshot(catalog, request, { signal });
      await removePin(catalog, snapshot, { signal });
      return snapshot.id;
    },
    changePassword: (destination, request, run) => changePassword(host, destination, request, run),
    hasVault: (backend, { signal }) => vaultExists(backend, { signal }),
    ensureVault: async ({ backend, credentials }, { signal }) => {
      await loadVault(backend, { signal, credentials, create: host });
    },
    kit: (destination, request, run) => kit(host, destination, request, run),
    openFile: (file, request, run) => openFile(host, file, request, run),
  };
}
