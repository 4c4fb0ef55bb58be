import { untrack } from 'svelte';
import type { CallReply } from '../../../main/contract/calls.ts';
import type { WireFault } from '../../../main/contract/faults.ts';
import type { Job } from '../../../main/contract/jobs.ts';
import type { ServerSettings } from '../../../main/contract/server-settings.ts';
import { call, faultOf } from '../../client/call.ts';
import { newestFirst, newestOf, type StoredRow } from '../snapshots/stored.svelte.ts';
import { stamp } from './stamp.ts';
import type { RestoreWhat } from './restoring.svelte.ts';

export type Where = 'old' | 'beside' | 'other';

/** Who sees to it that nothing uses the folder while it is swapped. */
export type Stopping = 'by-itself' | 'stop-only' | 'by-person';

const stoppingOf: Readonly<Record<ServerSettings['quiesce']['kind'], Stopping>> = {
  none: 'by-person',
  rcon: 'by-person',
  minecraft: 'stop-only',
  systemd: 'by-itself',
  docker: 'by-itself',
};

/** The answers to what, where, and replace or beside; everything has a default, so that a person need only confirm. */
export class RestorePlan {
  readonly what: RestoreWhat;
  readonly server: ServerSettings;
  destination = $state('');
  /** Id; empty: the one that was written last. */
  snapshot = $state('');
  where = $state<Where>('old');
  /** Of `other`. */
  path = $state('');
  /** What stands in a folder that is not the server's own may be exchanged, too. */
  replaceOther = $state(false);
  /** Although programs use it. */
  force = $state(false);
  rows = $state.raw<readonly StoredRow[]>([]);
  look = $state.raw<CallReply<'restore.look'> | null>(null);
  fault = $state.raw<WireFault | null>(null);
  /** Of the folder alone: another one may do. */
  lookFault = $state.raw<WireFault | null>(null);
  /** The snapshots have been listed once. */
  listed = $state(false);
  /** The place whose snapshots `rows` are. */
  #listedPlace = '';

  readonly row = $derived(this.rows.find(({ id, newest }) => (this.snapshot === '' ? newest === true : id === this.snapshot)));
  /** It was asked about and is listed no more. */
  readonly gone = $derived(this.listed && this.snapshot !== '' && this.row === undefined);
  readonly target = $derived(this.where === 'old' ? this.#folder() : this.where === 'beside' ? this.#beside() : this.path.trim());
  readonly replace = $derived(this.where === 'old' || (this.where === 'other' && this.replaceOther));
  readonly bytes = $derived.by(() => (this.what.part === undefined ? (this.row?.bytes ?? null) : this.what.part.bytes));
  readonly stopping = $derived.by<Stopping>(() => (this.where === 'old' ? stoppingOf[this.server.quiesce.kind] : 'by-person'));
  readonly inUse = $derived(this.stopping === 'by-person' ? (this.look?.inUse ?? []) : []);
  readonly tight = $derived(this.look !== null && this.bytes !== null && this.bytes > this.look.freeBytes);
  /** Something stands there and may not be exchanged. */
  readonly taken = $derived(this.look !== null && this.look.exists && !this.look.empty && !this.replace);
  readonly ready = $derived(
    this.row !== undefined &&
      this.fault === null &&
      this.look !== null &&
      this.look.problem === '' &&
      !this.tight &&
      !this.taken &&
      (this.inUse.length === 0 || this.force),
  );

  constructor(what: RestoreWhat, server: ServerSettings) {
    this.what = what;
    this.server = server;
    this.destination = what.destination ?? server.destinations[0] ?? '';
    this.snapshot = what.snapshot ?? '';
  }

  /** Is what this job does, whoever began it and wherever. */
  follow({ destination, restore }: Job): void {
    this.destination = destination ?? this.destination;
    if (restore === undefined) return;
    this.snapshot = restore.snapshot === 'latest' ? '' : restore.snapshot;
    this.where = restore.target === this.#folder() ? 'old' : 'other';
    this.path = restore.target;
    this.replaceOther = restore.replace;
  }

  /** The complete ones of the place, newest first. */
  async list(signal?: AbortSignal): Promise<void> {
    const { destination } = this;
    const { slug } = this.server;
    // Those of another place must not be shown, nor brought back, as if they were here.
    if (this.#listedPlace !== destination) {
      this.#listedPlace = destination;
      this.rows = [];
      this.listed = false;
      this.fault = null;
    }
    const isOld = (): boolean => signal?.aborted === true || this.#listedPlace !== destination;
    try {
      // Most want this one: they need not wait until all are listed.
      if (untrack(() => this.snapshot) === '') {
        const newest = await newestOf(slug, destination, signal);
        if (isOld()) return;
        if (newest !== null) this.rows = [newest];
      }
      const rows = await newestFirst(slug, destination, signal);
      if (isOld()) return;
      this.rows = rows.filter(({ complete }) => complete);
      if (!this.rows.some(({ id }) => id === this.snapshot) && this.snapshot !== this.what.snapshot) this.snapshot = '';
      this.fault = null;
      this.listed = true;
    } catch (error) {
      if (!isOld()) this.fault = faultOf(error);
    }
  }

  /** What a restore would meet there. */
  async lookAt(target: string, signal?: AbortSignal): Promise<void> {
    this.look = null;
    this.lookFault = null;
    if (target === '') return;
    try {
      const look = await call('restore.look', { target }, signal);
      if (signal?.aborted !== true) this.look = look;
    } catch (error) {
      if (signal?.aborted !== true) this.lookFault = faultOf(error);
    }
  }

  /** Begins; settles to the job. */
  async start(): Promise<string> {
    const { row, target, replace, force, destination } = this;
    const include = [...(this.what.part?.include ?? [])];
    const request = { slug: this.server.slug, destination, snapshot: row?.id ?? 'latest', target, include, replace, force };
    return (await call('restore.start', request)).job;
  }

  #folder(): string {
    return this.server.folder.replace(/(?<=.)[/\\]+$/, '');
  }

  /** A name that says what it is, and that nothing bears yet unless the same snapshot was brought back so before. */
  #beside(): string {
    return `${this.#folder()}-${stamp(this.row?.at ?? 0)}`;
  }
}
