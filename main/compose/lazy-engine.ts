import type { Engine } from '../engine/engine.ts';

/** An engine that is loaded when it is first used: a service that waits for the night does without. */
export function lazyEngine(load: () => Promise<Engine>): Engine {
  let loading: Promise<Engine> | undefined;
  const engine = (): Promise<Engine> => (loading ??= load());
  return {
    backup: async (...args) => (await engine()).backup(...args),
    backupToAll: async (...args) => (await engine()).backupToAll(...args),
    snapshots: async (...args) => (await engine()).snapshots(...args),
    newest: async (...args) => (await engine()).newest(...args),
    list: async function* (...args) {
      yield* (await engine()).list(...args);
    },
    changes: async (...args) => (await engine()).changes(...args),
    diff: async (...args) => (await engine()).diff(...args),
    find: async (...args) => (await engine()).find(...args),
    versions: async (...args) => (await engine()).versions(...args),
    usage: async (...args) => (await engine()).usage(...args),
    restore: async (...args) => (await engine()).restore(...args),
    verify: async (...args) => (await engine()).verify(...args),
    prune: async (...args) => (await engine()).prune(...args),
    pin: async (...args) => (await engine()).pin(...args),
    unpin: async (...args) => (await engine()).unpin(...args),
    changePassword: async (...args) => (await engine()).changePassword(...args),
    hasVault: async (...args) => (await engine()).hasVault(...args),
    ensureVault: async (...args) => (await engine()).ensureVault(...args),
    kit: async (...args) => (await engine()).kit(...args),
    openFile: async (...args) => (await engine()).openFile(...args),
  };
}
