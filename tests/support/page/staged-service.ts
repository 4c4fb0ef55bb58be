import type { CallHandlers } from '../../../main/contract/calls.ts';
import type { Keychain } from '../../../main/contract/destinations.ts';
import type { ServiceEvent } from '../../../main/contract/events.ts';
import type { Job } from '../../../main/contract/jobs.ts';
import type { ServerStatus } from '../../../main/contract/server-status.ts';
import { serverSchema } from '../../../main/contract/server-settings.ts';
import { Fault } from '../../../main/contract/faults.ts';
import { hasFailed } from '../../../main/contract/standing.ts';
import { serveHttp, type HttpServer } from '../../../main/compose/service/http-server.ts';
import { access } from '../../../main/compose/service/token.ts';
import { stagedLog } from './staged-log.ts';
import { restoringJob, stagedNow, stagedRestore, toldFirst } from './staged-restore.ts';
import { stagedSetup } from './staged-setup.ts';
import { stagedSnapshots } from './staged-snapshots.ts';

export { stagedNow };

const hour = 3_600_000;
const day = 24 * hour;
const gigabyte = 1e9;

export interface StageOptions {
  /** Nothing is set up. */
  readonly empty?: boolean;
  /** Nobody gave the passphrase of the key file. */
  readonly locked?: boolean;
  /** So many of them. */
  readonly snapshots?: number;
}

export interface StagedService {
  readonly http: HttpServer;
  /** One of its servers is being backed up. */
  readonly isBusy: boolean;
  /** Signs a browser in. */
  link(): string;
  emit(event: ServiceEvent): void;
}

/** What the real HTTP server shows of four servers in four states: for pictures and for measuring, not for tests of what works. */
export async function stageService(options: StageOptions = {}): Promise<StagedService> {
  const listeners = new Set<(event: ServiceEvent) => void>();
  const emit = (event: ServiceEvent): void => listeners.forEach((listener) => listener(event));
  const door = access('0'.repeat(64), Date.now);
  const http = await serveHttp({
    handlers: stagedHandlers(options, emit),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    access: door,
    port: 0,
  });
  return {
    http,
    isBusy: options.empty !== true,
    link: () => `http://127.0.0.1:${http.port}/sign-in?code=${door.newCode()}`,
    emit,
  };
}

function job(more: Partial<Job> & Pick<Job, 'id' | 'server'>): Job {
  return {
    ...{ kind: 'backup', destination: null, state: 'done', reason: 'schedule', progress: null, summary: '', snapshot: null },
    ...{ unchanged: false, bytes: 0, storedBytes: 0, warnings: [], fault: null },
    queuedAt: more.startedAt ?? stagedNow - 2 * hour,
    startedAt: stagedNow - 2 * hour,
    endedAt: stagedNow - 2 * hour + 90_000,
    ...more,
  };
}

export const runningJob: Job = job({
  ...{ id: 'j-survival', server: 'survival', state: 'running', endedAt: null, startedAt: stagedNow - 200_000 },
  progress: { phase: 'upload', files: 5_800, bytes: 3.1e9, totalFiles: 9_318, totalBytes: 5.0e9, storedBytes: 2.2e9 },
});

function status(name: string, slug: string, folder: string, destination: string, more: Partial<ServerStatus>): ServerStatus {
  return {
    settings: serverSchema.parse({
      ...{ name, slug, folder, destinations: [destination], zone: 'Europe/Berlin', preset: slug === 'creative' ? 'minecraft' : undefined },
      schedule: { kind: 'every', hours: 4 },
      keep: { last: 3, daily: 7, weekly: 4, monthly: 6 },
    }),
    ...{
      state: 'ok',
      why: '',
      next: '',
      unchangedSince: null,
      lastVerified: stagedNow - 3 * day,
      pausedUntil: null,
      running: null,
      waiting: [],
    },
    ...{ last: null, lastSuccess: stagedNow - 2 * hour, lastProven: stagedNow - 8 * hour, nextRun: stagedNow + 2 * hour },
    ...{ bytes: 12.9 * gigabyte, storedBytes: 9.1 * gigabyte },
    ...more,
  };
}

export const stagedServers: readonly ServerStatus[] = [
  status('Nextcloud', 'nextcloud', '/srv/nextcloud', 'google', {
    ...{
      state: 'sign-in-needed',
      why: 'the sign-in with Google has ended',
      lastSuccess: stagedNow - 3 * day,
      lastProven: stagedNow - 8 * day,
    },
    ...{ bytes: 84.2 * gigabyte, nextRun: stagedNow + hour },
  }),
  status('Home Assistant', 'home-assistant', '/opt/homeassistant', 'attic-nas', {
    ...{ state: 'overdue', lastSuccess: stagedNow - 3 * day, lastProven: stagedNow - 5 * day, nextRun: stagedNow + 28 * 60_000 },
    bytes: 2.1 * gigabyte,
    last: job({
      ...{ id: 'j-ha', server: 'home-assistant', state: 'failed' },
      fault: {
        ...{ code: 'unavailable', persistence: 'exhausted', operation: 'stat', message: 'connect EHOSTUNREACH 192.168.1.20:445' },
        context: {},
      },
    }),
  }),
  status('Survival', 'survival', '/srv/minecraft/survival', 'tide-s3', {
    ...{ state: 'running', running: runningJob, lastSuccess: stagedNow - 6 * hour, lastProven: stagedNow - day, bytes: 5 * gigabyte },
    nextRun: stagedNow + 6 * hour,
  }),
  status('Creative', 'creative', '/srv/minecraft/creative', 'tide-s3', {}),
];

/** Twice a day, back from its last backup. */
function history(server: string, bytes: number, newest: number): readonly Job[] {
  return Array.from({ length: 60 }, (_, index) => {
    const at = newest - index * 12 * hour;
    const failed = server === 'survival' && (index === 9 || index === 31);
    const wave = 1 - index * 0.0022 + Math.sin(index * 1.7) * 0.004;
    return job({
      ...{ id: `${server}-${String(index)}`, server, startedAt: at - 180_000, endedAt: at, bytes: failed ? 0 : Math.round(bytes * wave) },
      ...{ storedBytes: Math.round(bytes * wave * 0.7), state: failed ? 'failed' : 'done', kind: index % 14 === 5 ? 'drill' : 'backup' },
      summary: failed ? 'the backup place did not answer' : '9,318 files, 5.0 GB',
      reason: index % 9 === 3 ? 'person' : 'schedule',
      ...(failed
        ? {
            fault: {
              code: 'unavailable',
              persistence: 'exhausted',
              operation: 'put',
              message: 'the connection was reset',
              context: {},
            } as const,
          }
        : {}),
    });
  });
}

const jobs: readonly Job[] = stagedServers
  .flatMap(({ settings, bytes, lastSuccess }) => history(settings.slug, bytes, lastSuccess ?? stagedNow))
  .sort((one, other) => (other.endedAt ?? 0) - (one.endedAt ?? 0));

function refuse(): never {
  throw new Fault('unsupported', 'this is a stage', { operation: 'stage' });
}

function stagedHandlers(options: StageOptions, emit: (event: ServiceEvent) => void): CallHandlers {
  const empty = options.empty === true;
  const servers = empty ? [] : stagedServers;
  const one = (slug: string): ServerStatus => servers.find(({ settings }) => settings.slug === slug) ?? refuse();
  const keychain: Keychain = {
    ...{ kind: options.locked === true ? 'sealed-file' : 'system', locked: options.locked === true },
    ...{ strong: true, says: 'in the keyring of this system' },
  };
  const handlers: Partial<CallHandlers> = {
    'service.info': async () => ({
      ...{ version: '0.1.0', startedAt: stagedNow - 21 * day, keychain, settingsProblem: '', stateProblem: '', host: 'attic-server' },
      ...{ zone: 'Europe/Berlin', features: [] },
    }),
    'servers.list': async () => servers.map((row) => ({ ...row, running: row.running === null ? null : toldFirst(row.running, 15.5e6) })),
    'server.get': async ({ slug }) => one(slug),
    'server.pause': async ({ slug }) => one(slug),
    'server.resume': async ({ slug }) => one(slug),
    'destinations.list': async () =>
      empty
        ? []
        : [
            {
              ...{ name: 'tide-s3', secrets: ['accessKeyId', 'secretAccessKey'] },
              ...{
                hasPassword: true,
                settings: { provider: 's3', bucket: 'tide-backups', region: 'eu-central', endpoint: 'https://s3.eu-central.tide.example' },
              },
            },
            {
              ...{ name: 'google', secrets: ['refreshToken'], hasPassword: true },
              settings: { provider: 'google-drive', folder: 'Backups' },
            },
            {
              ...{ name: 'attic-nas', secrets: [], hasPassword: true },
              settings: { provider: 'folder', path: '/mnt/attic' },
            },
          ],
    'keychain.describe': async () => ({ ...keychain, exists: true }),
    'settings.import': async () => ({ leftOut: ['destination/tide-s3/password', 'destination/google/refreshToken'] }),
    'notices.list': async () => [
      { target: { kind: 'ntfy', name: 'phone', server: 'https://ntfy.sh', topic: 'attic' }, secrets: [], problem: '' },
    ],
    'notice.try': async () => ({}),
    'bandwidth.get': async () => ({ limit: '08:00,2M 23:00,off', whilePlayers: '1M' }),
    'pauseOn.get': async () => ({ battery: true, metered: false }),
    'jobs.list': async ({ server, kind, failed = false, limit }) =>
      empty
        ? []
        : jobs
            .filter((row) => (server ?? row.server) === row.server && (kind ?? row.kind) === row.kind && (!failed || hasFailed(row)))
            .slice(0, limit),
    'destination.account': async () => ({ account: { name: 'maria@example.org', usedBytes: 61.4e9, quotaBytes: 200e9 } }),
    'destination.servers': async () =>
      [
        { slug: 'survival', name: 'Survival', snapshots: 19, bytes: 5e9, here: true },
        { slug: 'lobby', name: 'Lobby', snapshots: 12, bytes: 811e6, here: false },
      ].map(({ bytes, ...row }) => ({
        ...row,
        newest: { id: 'k3v9qa', time: new Date(stagedNow - 8 * hour).toISOString(), files: 9_318, bytes },
        storedBytes: bytes * 0.7,
      })),
    'backup.start': async () => ({ job: runningJob.id }),
    'job.get': async ({ job: id }) => (id === restoringJob.id ? restoringJob : runningJob),
    ...stagedLog((id) => [runningJob, ...jobs].find((row) => row.id === id) ?? runningJob),
    ...stagedSetup(stagedNow),
    ...stagedRestore(emit),
    ...stagedSnapshots(stagedNow, options.snapshots),
    'server.add': async () => ({ ...(stagedServers[2] ?? refuse()), running: null, state: 'new' }),
  };
  return new Proxy(handlers as CallHandlers, { get: (target, name, self) => Reflect.get(target, name, self) ?? refuse });
}
