import { mkdirSync, mkdtempSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { threadPacker } from '../../main/adapters/compute/pack/packer.ts';
import { threadScan } from '../../main/adapters/compute/scan/scanner.ts';
import { threadUnpacker } from '../../main/adapters/compute/unpack/unpacker.ts';
import { threadUnzipper } from '../../main/adapters/compute/unpack/unzipper.ts';
import { nativeZstd } from '../../main/adapters/compute/zstd.ts';
import { createRestoreTargets } from '../../main/adapters/files/restore-targets.ts';
import { openSourceFolder } from '../../main/adapters/files/source-folder.ts';
import { openSpool } from '../../main/adapters/files/spool.ts';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { fileMemory } from '../../main/adapters/system/memory.ts';
import { systemRandom } from '../../main/adapters/system/random.ts';
import { runLock } from '../../main/compose/run-lock.ts';
import type {
  BackupReport,
  BackupRequest,
  PruneReport,
  PruneRequest,
  RestoreReport,
  RestoreRequest,
  VerifyReport,
} from '../../main/contract/reports.ts';
import { formatRecoveryKey } from '../../main/engine/archive/vault.ts';
import { createEngine } from '../../main/engine/create-engine.ts';
import type { Credentials, Engine, OpenDestination } from '../../main/engine/engine.ts';
import type { EngineHost } from '../../main/engine/host.ts';
import type { Clock, Random } from '../../main/engine/ports.ts';
import { loadVault } from '../../main/engine/snapshots/vault-store.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { readBytes } from '../../main/engine/storage/read-object.ts';
import { uploadBytes } from '../../main/engine/storage/upload-object.ts';

export const password = 'correct horse battery staple';
const mib = 2 ** 20;

export interface WorldOptions {
  readonly backend?: Backend;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly machine?: string;
  readonly credentials?: Credentials;
  /** Shared by those who are to see each other's locks. */
  readonly stateDir?: string;
  readonly host?: Partial<EngineHost>;
}

/** The real engine on real threads and real folders; only the destination, the clock and who this machine is belong to the test. */
export interface World {
  readonly engine: Engine;
  readonly host: EngineHost;
  readonly backend: Backend;
  readonly destination: OpenDestination;
  /** The same destination, opened by something else. */
  as(credentials: Credentials | string): OpenDestination;
  backup(folder: string, request?: Partial<BackupRequest>): Promise<BackupReport>;
  restore(target: string, request?: Partial<RestoreRequest>): Promise<RestoreReport>;
  verify(request?: { snapshot?: string; server?: string; quick?: boolean }): Promise<VerifyReport>;
  prune(request?: Partial<PruneRequest>): Promise<PruneReport>;
}

const recoveryText = (name: string): Promise<string> => readFile(new URL(`../../docs/recovery/${name}`, import.meta.url), 'utf8');

/** Gone with all temporary files of the run of the tests (run-folder.ts). */
export function newStateDir(): string {
  return mkdtempSync(join(tmpdir(), 'holdfast-test-state-'));
}

/** The system's clock, ahead or behind by what the test says. */
export function movableClock(start?: number): Clock & { offset: number } {
  const clock = {
    offset: start === undefined ? 0 : start - Date.now(),
    now: (): number => Date.now() + clock.offset,
    sleep: async (): Promise<void> => undefined,
  };
  return clock;
}

export function world(options: WorldOptions = {}): World {
  const clock = options.clock ?? movableClock();
  const random = options.random ?? systemRandom;
  const stateDir = options.stateDir ?? newStateDir();
  mkdirSync(stateDir, { recursive: true });
  const backend = options.backend ?? memoryBackend({ clock });
  const host: EngineHost = {
    clock,
    random,
    zstd: nativeZstd,
    machine: async () => ({ id: options.machine ?? 'machine-one', host: options.machine ?? 'machine-one' }),
    lock: (name) => runLock(stateDir, name),
    openSpool: (needs) => openSpool(undefined, needs),
    memory: fileMemory(() => Promise.resolve(stateDir)),
    openSource: openSourceFolder,
    scan: threadScan(),
    packer: threadPacker(),
    unpacker: threadUnpacker,
    unzipper: threadUnzipper,
    targets: createRestoreTargets({ refuseWhenUsed: async () => 0 }),
    recoveryPrograms: async () => ({ opener: await recoveryText('open.py'), tree: await recoveryText('tree.py') }),
    iterations: 100_000,
    ...options.host,
  };
  const engine = createEngine(host);
  const as = (credentials: Credentials | string): OpenDestination => ({
    backend,
    credentials: typeof credentials === 'string' ? { kind: 'password', password: credentials } : credentials,
    settings: { provider: 'memory', place: 'tests' },
  });
  const destination = as(options.credentials ?? password);
  return {
    engine,
    host,
    backend,
    destination,
    as,
    backup: (folder, request) => engine.backup(destination, backupRequest(folder, request), {}),
    restore: (target, request) => engine.restore(destination, restoreRequest(target, request), {}),
    verify: (request) => engine.verify(destination, { snapshot: 'all', quick: false, ...request }, {}),
    prune: (request) => engine.prune(destination, pruneRequest(request), {}),
  };
}

/** The recovery key of a world's destination, which is made where there is none: it opens it with all the calls that a password takes, and in a hundredth of the time. */
export async function recoveryKeyOf({ backend, destination, host }: World): Promise<Credentials> {
  const { vaultKey } = await loadVault(backend, { credentials: destination.credentials, create: host });
  return { kind: 'recovery-key', text: formatRecoveryKey(vaultKey) };
}

/** The same world, opened by its recovery key. */
export async function openedByKey(one: World): Promise<World> {
  return world({ backend: one.backend, credentials: await recoveryKeyOf(one), host: one.host });
}

export function backupRequest(folder: string, request: Partial<BackupRequest> = {}): BackupRequest {
  return {
    folder,
    server: 'survival',
    excludes: [],
    format: 'archive',
    level: 1,
    volumeSize: 1024 * mib,
    force: false,
    takeOver: false,
    ...request,
  };
}

export function restoreRequest(target: string, request: Partial<RestoreRequest> = {}): RestoreRequest {
  return { snapshot: 'latest', target, include: [], replace: false, force: false, salvage: false, ...request };
}

export function pruneRequest(request: Partial<PruneRequest> = {}): PruneRequest {
  return { server: 'survival', policy: {}, zone: 'UTC', dryRun: false, takeOver: false, ...request };
}

/** Everything that a backend holds. */
export async function contents(backend: Backend, prefix = ''): Promise<Map<string, Buffer>> {
  const objects = new Map<string, Buffer>();
  const keys: string[] = [];
  for await (const { key } of backend.list(prefix)) keys.push(key);
  for (const key of keys.sort()) objects.set(key, Buffer.from(await readBytes(backend, key, { limit: 2 ** 31 })));
  return objects;
}

/** A memory destination that holds these objects. */
export async function holding(objects: ReadonlyMap<string, Uint8Array>, clock: { now(): number } = Date): Promise<Backend> {
  const backend = memoryBackend({ clock });
  for (const [key, bytes] of objects) await uploadBytes(backend, key, bytes);
  return backend;
}

export async function put(backend: Backend, key: string, bytes: Uint8Array | string): Promise<void> {
  await uploadBytes(backend, key, typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
}

export async function keysOf(backend: Backend, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of backend.list(prefix)) keys.push(key);
  return keys.sort();
}
