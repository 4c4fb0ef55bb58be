import { Fault } from '../../main/contract/faults.ts';
import type { ServiceEvent } from '../../main/contract/events.ts';
import type { Job } from '../../main/contract/jobs.ts';
import { serverSchema, type ServerSettings } from '../../main/contract/server-settings.ts';
import {
  noFacts,
  type Quiesce,
  type Resting,
  type ServerFacts,
  type ServiceHost,
  type StateStore,
} from '../../main/engine/service/ports.ts';
import { realPlace } from '../../main/compose/real-place.ts';
import { createService, type Service } from '../../main/engine/service/service.ts';
import { fakeClock, type FakeClock } from './fake-clock.ts';
import { tempFolder } from './temp-folder.ts';
import { world, type World } from './engine-on-memory.ts';

/** A state store that outlives the service of a test, as a file would. */
export function memoryStore(since: number): StateStore & { readonly puts: Job[] } {
  let jobs: Job[] = [];
  let resting: readonly Resting[] = [];
  const facts = new Map<string, ServerFacts>();
  const puts: Job[] = [];
  const factsOf = (slug: string): ServerFacts => facts.get(slug) ?? { since, ...noFacts };
  return {
    puts,
    jobs: () => jobs,
    putJob(job) {
      puts.push(job);
      jobs = [job, ...jobs.filter(({ id }) => id !== job.id)];
    },
    putRebuilt(slug, more) {
      const others = jobs.filter(({ server: of, rebuilt }) => of !== slug || rebuilt !== true);
      jobs = [...others, ...more].sort((one, other) => other.queuedAt - one.queuedAt);
    },
    facts: factsOf,
    changeFacts: (slug, changes) => facts.set(slug, { ...factsOf(slug), ...changes }),
    removeServer(slug) {
      facts.delete(slug);
      jobs = jobs.filter(({ server: of }) => of !== slug);
    },
    resting: () => resting,
    setResting(all) {
      resting = all;
      return Promise.resolve(null);
    },
    flush: () => Promise.resolve(null),
  };
}

export interface ServiceWorld {
  readonly service: Service;
  readonly host: ServiceHost;
  readonly clock: FakeClock;
  readonly store: StateStore & { readonly puts: Job[] };
  readonly events: ServiceEvent[];
  readonly engine: World;
  /** What the quiesce adapter and the hooks were told, in order. */
  readonly told: string[];
  /** Settles once a job of this kind has ended, the ones that have ended already left out. */
  ended(kind: Job['kind']): Promise<Job>;
}

export interface ServiceWorldOptions {
  readonly servers?: readonly Partial<ServerSettings>[];
  readonly folder: string;
  readonly store?: ServiceWorld['store'];
  readonly engine?: World;
  readonly now?: number;
  readonly host?: Partial<ServiceHost>;
  readonly quiesce?: Partial<Quiesce>;
}

export function server(more: Partial<ServerSettings> & { readonly folder: string }): ServerSettings {
  return serverSchema.parse({ name: 'Survival', slug: 'survival', destinations: ['here'], zone: 'UTC', level: 1, ...more });
}

/** The real service over the real engine and a real folder; destinations are in memory, and time is the test's. */
export function serviceWorld(options: ServiceWorldOptions): ServiceWorld {
  const now = options.now ?? Date.UTC(2026, 10, 23, 22, 0);
  const clock = fakeClock({ now });
  const engine = options.engine ?? world();
  const store = options.store ?? memoryStore(now);
  const servers = (options.servers ?? [{}]).map((more) => server({ folder: options.folder, ...more }));
  const told: string[] = [];
  const events: ServiceEvent[] = [];
  const host: ServiceHost = {
    clock,
    random: engine.host.random,
    engine: engine.engine,
    store,
    servers: () => servers,
    openDestination: (name) => {
      if (name === 'here') return Promise.resolve(engine.destination);
      return Promise.reject(new Fault('sign-in-needed', `${name}: sign in again`));
    },
    quiesce: () =>
      Promise.resolve({
        pause: () => {
          told.push('pause');
          return Promise.resolve();
        },
        resume: () => {
          told.push('resume');
          return Promise.resolve();
        },
        ...options.quiesce,
      }),
    runHook: ({ argv }, environment) => {
      told.push(`${argv.join(' ')} ${environment['HOLDFAST_RESULT'] ?? ''}`.trim());
      return argv[0] === 'fail' ? Promise.reject(new Fault('unexpected', 'the hook failed')) : Promise.resolve();
    },
    realPlace,
    scratch: () => {
      const path = tempFolder();
      return Promise.resolve({ path, remove: () => Promise.resolve() });
    },
    ...options.host,
  };
  const service = createService(host);
  const waiting: { kind: Job['kind']; settle: (job: Job) => void }[] = [];
  service.subscribe((event) => {
    events.push(event);
    if (event.event !== 'job' || event.data.endedAt === null) return;
    const index = waiting.findIndex(({ kind }) => kind === event.data.kind);
    if (index >= 0) waiting.splice(index, 1)[0]?.settle(event.data);
  });
  return {
    ...{ service, host, clock, store, events, engine, told },
    ended: (kind) => new Promise((settle) => waiting.push({ kind, settle })),
  };
}
