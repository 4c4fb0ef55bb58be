import { SvelteMap } from 'svelte/reactivity';
import type { CallReply } from '../../main/contract/calls.ts';
import type { DestinationRow } from '../../main/contract/destinations.ts';
import type { EventData, ServiceEvent } from '../../main/contract/events.ts';
import type { WireFault } from '../../main/contract/faults.ts';
import type { Job } from '../../main/contract/jobs.ts';
import type { ServerStatus } from '../../main/contract/server-status.ts';
import type { SignIn } from '../../main/contract/sign-in-calls.ts';
import { call, faultOf } from './call.ts';
import { listen } from './events.ts';
import { passing } from './passing.svelte.ts';
import { Paces, type Pace } from './progress.ts';

/** What the page knows of the service, kept up to date by its events. */
class Service {
  /** By slug. */
  readonly servers = new SvelteMap<string, ServerStatus>();
  /** Running and lately ended jobs, by id, since the page was opened. */
  readonly jobs = new SvelteMap<string, Job>();
  /** How many lines of the log each job got since the page was opened. */
  readonly logged = new SvelteMap<string, number>();
  readonly paces = new SvelteMap<string, Pace>();
  readonly signIns = new SvelteMap<string, SignIn>();
  /** By the name of a test that a view watches: its checks as they began and ended. The view puts it there and takes it away. */
  readonly tests = new SvelteMap<string, readonly EventData<'destination-check'>[]>();
  destinations = $state.raw<readonly DestinationRow[]>([]);
  info = $state.raw<CallReply<'service.info'> | null>(null);
  /** `signed-out`: the page's session has ended, or there never was one. */
  line = $state<'connecting' | 'open' | 'lost' | 'signed-out'>('connecting');
  /** Everything has been read once. */
  loaded = $state(false);
  problem = $state.raw<WireFault | null>(null);
  /** Milliseconds since 1970, moved on every half minute so that “2 hours ago” stays true. */
  now = $state(Date.now());
  readonly #paces = new Paces();
  /** For each reading that is under way: the servers that events told of since it began. */
  readonly #told = new Set<Set<string>>();
  #readings = 0;
  /** The newest one that was taken. */
  #taken = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Begins to listen; returns how to stop. */
  start(): () => void {
    this.#timer = setInterval(() => (this.now = Date.now()), 30_000);
    const stop = listen({
      event: (event) => this.#take(event),
      open: () => void this.load(),
      lost: () => void this.#look(),
    });
    return () => {
      clearInterval(this.#timer);
      stop();
    };
  }

  async load(): Promise<void> {
    const { mark } = passing;
    const reading = ++this.#readings;
    const told = new Set<string>();
    this.#told.add(told);
    try {
      const [servers, info, destinations] = await Promise.all([
        call('servers.list', {}),
        call('service.info', {}),
        call('destinations.list', {}),
      ]);
      // What was read later has come already.
      if (reading < this.#taken) return;
      this.#taken = reading;
      this.#list(servers, told);
      this.info = info;
      this.destinations = destinations;
      this.line = 'open';
      this.loaded = true;
      this.problem = null;
      passing.answered(mark, info.keychain.locked);
      await this.#catchUp();
    } catch (error) {
      this.#failed(faultOf(error));
    } finally {
      this.#told.delete(told);
    }
  }

  /** Takes what was read, but of servers that an event told of meanwhile: the event may be the newer one, and a later one would tell what is newer still. */
  #list(servers: readonly ServerStatus[], told: ReadonlySet<string>): void {
    const before = new Map(this.servers);
    const slugs = new Set([...servers.map(({ settings }) => settings.slug), ...told]);
    const read = new Map(servers.map((status) => [status.settings.slug, status]));
    this.servers.clear();
    for (const slug of slugs) {
      const status = (told.has(slug) ? before : read).get(slug);
      if (status !== undefined) this.#put(status);
    }
  }

  /** Jobs whose end was told while the line was broken. */
  async #catchUp(): Promise<void> {
    for (const job of [...this.jobs.values()].filter(({ endedAt }) => endedAt === null)) {
      try {
        this.#job(await call('job.get', { job: job.id }));
      } catch (error) {
        const fault = faultOf(error);
        // The service knows it no more: it ended with the one of before, and asking again would come to the same.
        if (fault.code === 'not-found') this.#forget(job.id);
        else this.#failed(fault);
      }
    }
  }

  #forget(id: string): void {
    this.jobs.delete(id);
    this.paces.delete(id);
  }

  /** Why a browser's line broke: it does not say by itself. */
  async #look(): Promise<void> {
    try {
      await call('service.info', {});
    } catch (error) {
      this.#failed(faultOf(error));
    }
  }

  #failed(fault: WireFault): void {
    if (fault.code === 'unauthenticated') this.line = 'signed-out';
    else if (fault.code === 'unavailable') this.line = 'lost';
    else this.problem = fault;
  }

  #put(status: ServerStatus): void {
    this.servers.set(status.settings.slug, status);
    if (status.running !== null) this.#job(status.running);
  }

  #job(job: Job): void {
    // An answer may be older than an event.
    if (job.endedAt === null && (this.jobs.get(job.id)?.endedAt ?? null) !== null) return;
    this.jobs.set(job.id, job);
    if (job.endedAt === null) this.paces.set(job.id, this.#paces.put(job, Date.now()));
    else this.paces.delete(job.id);
  }

  #take(event: ServiceEvent): void {
    this.now = Date.now();
    switch (event.event) {
      case 'job':
        return this.#job(event.data);
      case 'server': {
        const before = this.servers.get(event.data.settings.slug)?.last?.fault?.context['keychain'];
        this.#put(event.data);
        for (const told of this.#told) told.add(event.data.settings.slug);
        // Locked, or open again: the service tells only with its info.
        if (event.data.last?.fault?.context['keychain'] !== before) void this.load();
        return;
      }
      case 'job-log':
        this.logged.set(event.data.job, (this.logged.get(event.data.job) ?? 0) + 1);
        return;
      case 'server-removed':
        this.servers.delete(event.data.slug);
        for (const told of this.#told) told.add(event.data.slug);
        return;
      case 'destinations-changed':
        void this.load();
        return;
      case 'destination-check': {
        const { watch } = event.data;
        const before = this.tests.get(watch);
        if (before !== undefined) this.tests.set(watch, [...before, event.data]);
        return;
      }
      case 'sign-in':
        this.signIns.set(event.data.id, event.data);
        return;
      case 'notice':
        return;
    }
  }
}

export const service = new Service();
