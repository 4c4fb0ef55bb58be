import { readFile, rename } from 'node:fs/promises';
import { z } from 'zod';
import { Fault } from '../../contract/faults.ts';
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
  places: z.record(z.string(), time).default({}),
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

/** Its entries are looked at one by one: what one of them cannot say must not cost the others, least of all what is at rest. */
const stateSchema = z.looseObject({
  version: z.literal(1),
  jobs: z.array(z.unknown()),
  servers: z.record(z.string(), z.unknown()),
  resting: z.array(z.unknown()).default([]),
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
 * cannot be read as a whole is put aside as `<path>.unreadable`.
 */
export async function openStateFile({ path, clock, onProblem }: StateFileOptions): Promise<StateStore> {
  const { jobs, servers, ...loaded } = await load(path, onProblem);
  let { resting } = loaded;
  let dirty = false;
  let failure: Fault | null = null;
  let writing: Promise<void> | null = null;

  async function writeAll(): Promise<void> {
    // Whatever is put in the same turn goes into one writing.
    await Promise.resolve();
    try {
      while (dirty) {
        dirty = false;
        await replaceFile(path, `${JSON.stringify({ version: 1, jobs: [...jobs], servers: Object.fromEntries(servers), resting })}\n`);
        failure = null;
      }
    } catch (error) {
      // Written with the next change, or the next flush: the same is not said each time.
      dirty = true;
      if (failure === null) onProblem(`${path} could not be written`, error);
      failure = notWritten(path, error);
    }
    writing = null;
  }

  function changed(): void {
    dirty = true;
    writing ??= writeAll();
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
    putRebuilt(slug, more) {
      const others = jobs.filter(({ server, rebuilt }) => server !== slug || rebuilt !== true);
      jobs.splice(0, jobs.length, ...[...others, ...more].sort((one, other) => other.queuedAt - one.queuedAt));
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
      if (dirty) changed();
      while (writing !== null) await writing;
      return dirty ? failure : null;
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
    const readable = <T>(what: string, schema: z.ZodType<T>, entry: unknown): readonly T[] => {
      const read = schema.safeParse(entry);
      if (read.success) return [read.data];
      onProblem(`${what} in ${path} could not be understood and was left out`, read.error);
      return [];
    };
    return {
      jobs: jobs.flatMap((job) => readable('a job', jobSchema, job)),
      servers: new Map(
        Object.entries(servers).flatMap(([slug, facts]) =>
          readable(`what is known of ${slug}`, factsSchema, facts).map((known) => [slug, known] as const),
        ),
      ),
      resting: resting.flatMap((one) => readable('a server at rest', restingSchema, one)),
    };
  } catch (error) {
    onProblem(`${path} could not be understood and was put aside`, error);
    await rename(path, `${path}.unreadable`).catch((failed: unknown) => onProblem(`${path} could not be put aside`, failed));
    return empty;
  }
}

function notWritten(path: string, error: unknown): Fault {
  const errno = error instanceof Error && 'code' in error ? String(error.code) : '';
  const code = ['ENOSPC', 'EDQUOT'].includes(errno)
    ? 'disk-full'
    : ['EACCES', 'EPERM', 'EROFS'].includes(errno)
      ? 'permission-denied'
      : 'unexpected';
  return new Fault(code, `${path} could not be written${errno === '' ? '' : `: ${errno}`}`, {
    operation: 'write state',
    context: { path, next: 'See that its folder can be written and that its disk has room.' },
    cause: error,
  });
}
