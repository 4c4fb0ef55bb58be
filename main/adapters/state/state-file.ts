import { readFile, rename } from 'node:fs/promises';
import { z } from 'zod';
import { jobSchema, type Job } from '../../contract/jobs.ts';
import { noticeSchema } from '../../contract/notices.ts';
import { quiesceSchema } from '../../contract/server-settings.ts';
import { noFacts, type Resting, type ServerFacts, type StateStore } from '../../engine/service/ports.ts';
import type { Clock } from '../../engine/ports.ts';
import { replaceFile } from '../files/replace-file.ts';

const time = z.number();
const factsSchema = z.looseObject({
  since: time,
  lastSuccess: time.nullable(),
  unchangedSince: time.nullable(),
  lastVerified: time.nullable(),
  lastProven: time.nullable(),
  doubted: z.object({ stamp: time, seenAt: time }).nullable().default(null),
  failures: z.object({ count: z.number(), at: time, mayPass: z.boolean() }).nullable(),
  pausedUntil: time.nullable(),
  bytes: z.number(),
  storedBytes: z.number(),
  checks: z.record(z.string(), z.object({ ok: time.nullable(), tried: time })),
  told: z.record(z.string(), z.object({ at: time, times: z.number() })),
  undelivered: z.array(z.object({ matter: z.string(), target: z.string(), notice: noticeSchema, tries: z.number(), at: time })).default([]),
});

const restingSchema = z.object({ slug: z.string(), name: z.string(), quiesce: quiesceSchema, removed: z.boolean() });

const stateSchema = z.looseObject({
  version: z.literal(1),
  jobs: z.array(jobSchema),
  servers: z.record(z.string(), factsSchema),
  resting: z.array(restingSchema).default([]),
});

/** Years of daily runs; a few hundred kilobytes. */
const mostJobs = 1000;

export interface StateFileOptions {
  readonly path: string;
  readonly clock: Clock;
  /** Told when the file could not be used, or not be written: the service goes on without it. */
  readonly onProblem: (message: string, error: unknown) => void;
}

/**
 * Job history and facts in one JSON file, replaced in one step, soon after each change and at flush(). It may be deleted at any time. One that
 * cannot be read is put aside as `<path>.unreadable`.
 */
export async function openStateFile({ path, clock, onProblem }: StateFileOptions): Promise<StateStore> {
  const { jobs, servers, ...loaded } = await load(path, onProblem);
  let { resting } = loaded;
  let dirty = false;
  let writing: Promise<void> | null = null;

  async function writeAll(): Promise<void> {
    // Whatever is put in the same turn goes into one writing.
    await Promise.resolve();
    while (dirty) {
      dirty = false;
      try {
        await replaceFile(path, `${JSON.stringify({ version: 1, jobs: [...jobs], servers: Object.fromEntries(servers), resting })}\n`);
      } catch (error) {
        onProblem(`${path} could not be written`, error);
        return;
      }
    }
  }

  function changed(): void {
    dirty = true;
    writing ??= writeAll().finally(() => (writing = null));
  }

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
      jobs.length = Math.min(jobs.length, mostJobs);
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
    resting: () => resting,
    setResting(all) {
      resting = all;
      changed();
    },
    async flush() {
      while (writing !== null) await writing;
    },
  };
}

interface State {
  readonly jobs: Job[];
  readonly servers: Map<string, ServerFacts>;
  readonly resting: readonly Resting[];
}

async function load(path: string, onProblem: StateFileOptions['onProblem']): Promise<State> {
  const empty = { jobs: [], servers: new Map<string, ServerFacts>(), resting: [] };
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) onProblem(`${path} could not be read`, error);
    return empty;
  }
  try {
    const { jobs, servers, resting } = stateSchema.parse(JSON.parse(text));
    return { jobs, servers: new Map(Object.entries(servers)), resting };
  } catch (error) {
    onProblem(`${path} could not be understood and was put aside`, error);
    await rename(path, `${path}.unreadable`).catch((failed: unknown) => onProblem(`${path} could not be put aside`, failed));
    return empty;
  }
}
