import { z } from 'zod';
import { jobSchema, type Job } from '../../contract/jobs.ts';
import { noticeSchema } from '../../contract/notices.ts';
import { isTelling } from '../../engine/service/facts.ts';
import { noFacts, type ServerFacts, type StateStore } from '../../engine/service/ports.ts';
import type { Clock } from '../../engine/ports.ts';
import { openRestingFile } from './resting-file.ts';
import { readable, readJson, writtenFile, type FileProblem } from './written-file.ts';

const time = z.number();
const factsSchema = z.looseObject({
  since: time,
  lastSuccess: time.nullable(),
  schedule: z.object({ text: z.string(), since: time.nullable() }).nullable().default(null),
  places: z.record(z.string(), time).default({}),
  unchangedSince: time.nullable(),
  lastVerified: time.nullable(),
  lastProven: time.nullable(),
  doubted: z.object({ stamp: time, seenAt: time }).nullable().default(null),
  failures: z.object({ count: z.number(), at: time, mayPass: z.boolean() }).nullable(),
  pausedUntil: time.nullable(),
  pausedAt: time.nullable().default(null),
  bytes: z.number(),
  storedBytes: z.number(),
  checks: z.record(z.string(), z.object({ ok: time.nullable(), tried: time })),
  told: z.record(z.string(), z.object({ at: time, times: z.number() })),
  undelivered: z.array(z.object({ matter: z.string(), target: z.string(), notice: noticeSchema, tries: z.number(), at: time })).default([]),
});

/** Its entries are looked at one by one: what one of them cannot say must not cost the others. */
const stateSchema = z.looseObject({
  version: z.literal(1),
  jobs: z.array(z.unknown()),
  servers: z.record(z.string(), z.unknown()),
  /** What was at rest stood here once. */
  resting: z.array(z.unknown()).default([]),
});

/** Years of daily runs; a few hundred kilobytes. */
const mostJobs = 1000;
/** Of each server, kind and destination so many stay, however many others come: they say how the server is. */
const leastOfEach = 5;

export interface StateFileOptions {
  readonly path: string;
  /** Of what is at rest: a file of its own, as it is no cache. */
  readonly restingPath: string;
  readonly clock: Clock;
  /** Told when a file could not be used, or not be written: the service goes on without it. */
  readonly onProblem: FileProblem;
}

export interface StateFile extends StateStore {
  /** Why what is known is not on disk; empty where it is. */
  readonly problem: () => string;
}

/**
 * Job history and facts in one JSON file, replaced in one step, soon after each change and at flush(). It may be deleted at any time; what is at
 * rest stands in another. One that cannot be read as a whole is put aside as `<path>.unreadable`.
 */
export async function openStateFile({ path, restingPath, clock, onProblem }: StateFileOptions): Promise<StateFile> {
  const { jobs, servers, resting } = await load(path, onProblem);
  const atRest = await openRestingFile({ path: restingPath, former: resting, onProblem });
  const file = writtenFile({ path, content: () => ({ version: 1, jobs: [...jobs], servers: Object.fromEntries(servers) }), onProblem });
  const { changed } = file;

  function facts(slug: string): ServerFacts {
    const known = servers.get(slug);
    if (known !== undefined) return known;
    const fresh: ServerFacts = { since: clock.now(), ...noFacts };
    servers.set(slug, fresh);
    changed();
    return fresh;
  }

  return {
    facts,
    jobs: () => jobs,
    putJob(job) {
      const at = jobs.findIndex(({ id }) => id === job.id);
      if (at >= 0) jobs[at] = job;
      else jobs.unshift(job);
      shorten(jobs);
      changed();
    },
    putRebuilt(slug, more) {
      const others = jobs.filter(({ server, rebuilt }) => server !== slug || rebuilt !== true);
      jobs.splice(0, jobs.length, ...[...others, ...more].sort((one, other) => other.queuedAt - one.queuedAt));
      shorten(jobs);
      changed();
    },
    changeFacts(slug, changes) {
      servers.set(slug, { ...facts(slug), ...changes });
      changed();
    },
    removeServer(slug) {
      servers.delete(slug);
      jobs.splice(0, jobs.length, ...jobs.filter(({ server }) => server !== slug));
      changed();
    },
    resting: atRest.all,
    setResting: atRest.set,
    problem: () => (atRest.failure() ?? file.failure())?.message ?? '',
    async flush() {
      const [failure, ofResting] = await Promise.all([file.flush(), atRest.flush()]);
      return ofResting ?? failure;
    },
  };
}

/** Takes out the oldest, but for those that say how their server is. */
function shorten(jobs: Job[]): void {
  let over = jobs.length - mostJobs;
  if (over <= 0) return;
  const counts = new Map<string, number>();
  const places = jobs.map((job) => {
    const group = JSON.stringify([job.server, job.kind, job.destination, isTelling(job)]);
    const place = (counts.get(group) ?? 0) + 1;
    counts.set(group, place);
    return place;
  });
  for (let at = jobs.length - 1; at >= 0 && over > 0; at -= 1) {
    if ((places[at] ?? 0) <= leastOfEach) continue;
    jobs.splice(at, 1);
    over -= 1;
  }
}

interface State {
  readonly jobs: Job[];
  readonly servers: Map<string, ServerFacts>;
  readonly resting: readonly unknown[];
}

async function load(path: string, onProblem: FileProblem): Promise<State> {
  const state = await readJson(path, stateSchema, onProblem);
  return {
    jobs: (state?.jobs ?? []).flatMap((job) => readable(path, 'a job', jobSchema, job, onProblem)),
    servers: new Map(
      Object.entries(state?.servers ?? {}).flatMap(([slug, facts]) =>
        readable(path, `what is known of ${slug}`, factsSchema, facts, onProblem).map((known) => [slug, known] as const),
      ),
    ),
    resting: state?.resting ?? [],
  };
}
