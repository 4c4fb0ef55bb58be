import type { CallInput, CallReply } from '../../../main/contract/calls.ts';
import type { KeepSettings } from '../../../main/contract/server-settings.ts';
import { slugify } from '../../../main/contract/slug.ts';
import { service } from '../../client/service.svelte.ts';
import { PlaceDraft, type KeptPlace } from '../place/place-draft.svelte.ts';
import { defaultKeep, isCount, keepOf, ScheduleDraft, type Tier } from '../schedule/schedule-draft.svelte.ts';
import { suggestedName } from '../settings/place-name.ts';

export const steps = ['folder', 'place', 'password', 'schedule', 'first'] as const;
export type Step = (typeof steps)[number];

const stored = 'holdfast.new-server';

/** A server that a person is setting up. Everything but secrets survives leaving and coming back, as long as the tab is open. */
export class Wizard {
  step = $state<Step>('folder');
  folder = $state('');
  look = $state.raw<CallReply<'folder.look'> | null>(null);
  name = $state('');
  /** Empty: none. */
  preset = $state('');
  pause = $state(false);
  rconPort = $state('25575');
  rconPassword = $state('');
  /** The name of a place that there is; empty while a new one is being described. */
  place = $state('');
  readonly draft = new PlaceDraft();
  /** As typed; empty: as suggested. */
  placeName = $state('');
  /** The place that this wizard added, so that its key file belongs here. */
  added = $state('');
  /** Its key file was downloaded or printed. */
  keyFileTaken = $state(false);
  /** The key file can be made only once a backup is there. */
  keyFileLater = $state(false);
  readonly schedule = new ScheduleDraft();
  readonly keep = $state<Record<Tier, string>>({ ...defaultKeep });
  /** The slug of the server, once it is added. */
  slug = $state('');
  job = $state('');

  constructor() {
    if (!this.#bringBack()) this.place = service.destinations[0]?.name ?? '';
  }

  /** Another server is kept under the same name in backup places. */
  get nameTaken(): boolean {
    return this.slug === '' && service.servers.has(slugify(this.name.trim()));
  }

  get rconPortFits(): boolean {
    return isCount(this.rconPort) && Number(this.rconPort) >= 1 && Number(this.rconPort) <= 65_535;
  }

  get row(): CallReply<'destinations.list'>[number] | undefined {
    return service.destinations.find(({ name }) => name === this.place);
  }

  get isAdded(): boolean {
    return this.added !== '' && this.added === this.place;
  }

  /** Those that this server needs: a place that is open already asks for no password. */
  get path(): readonly Step[] {
    const asked = this.place === '' || this.isAdded || this.row?.hasPassword === false;
    return asked ? steps : steps.filter((step) => step !== 'password');
  }

  get number(): number {
    return this.path.indexOf(this.step) + 1;
  }

  /** Null in the beginning, and once the server is there. */
  get before(): Step | null {
    return this.slug !== '' ? null : (this.path[this.number - 2] ?? null);
  }

  next(): void {
    this.step = this.path[this.number] ?? this.step;
  }

  back(): void {
    this.step = this.before ?? this.step;
  }

  /** What a new place is called unless the person says otherwise. */
  get suggestedPlaceName(): string {
    return suggestedName(
      this.draft.settings(),
      service.destinations.map(({ name }) => name),
    );
  }

  get newPlaceName(): string {
    return this.placeName.trim() === '' ? this.suggestedPlaceName : this.placeName.trim();
  }

  get keepSettings(): KeepSettings {
    return keepOf(this.keep);
  }

  /** What `server.add` is given. */
  server(): CallInput<'server.add'> {
    const name = this.name.trim();
    const pause = this.preset === 'minecraft' && this.pause;
    return {
      server: {
        name,
        slug: slugify(name),
        folder: this.folder.trim(),
        destinations: [this.place],
        ...(this.preset === '' ? {} : { preset: this.preset }),
        schedule: this.schedule.settings(),
        zone: service.info?.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
        keep: this.keepSettings,
        ...(pause ? { quiesce: { kind: 'minecraft', rcon: { port: Number(this.rconPort) } } } : {}),
      },
      ...(pause ? { rconPassword: this.rconPassword } : {}),
    };
  }

  /** Puts down what was entered, so that coming back finds it. Called whenever something changed. */
  remember(): void {
    if (this.slug !== '') {
      window.sessionStorage.removeItem(stored);
      return;
    }
    const { step, folder, look, name, preset, pause, rconPort, place, placeName, added } = this;
    const kept: Kept = { step, folder, look, name, preset, pause, rconPort, place, placeName, added, keep: { ...this.keep } };
    window.sessionStorage.setItem(stored, JSON.stringify({ ...kept, draft: this.draft.kept(), schedule: this.schedule.kept() }));
  }

  forget(): void {
    window.sessionStorage.removeItem(stored);
  }

  /** Whether there was something. */
  #bringBack(): boolean {
    const text = window.sessionStorage.getItem(stored);
    if (text === null) return false;
    const { draft, schedule, keep, ...rest } = JSON.parse(text) as Kept & { readonly draft: KeptPlace; readonly schedule: string };
    Object.assign(this, rest);
    Object.assign(this.keep, keep);
    this.draft.bringBack(draft);
    this.schedule.bringBack(schedule);
    const known = service.destinations.some(({ name }) => name === this.place);
    if (!known) this.place = this.added = '';
    // A password that was typed is gone, and so is a sign-in: what needs them is asked for again.
    if (this.place === '' && this.path.indexOf(this.step) > this.path.indexOf('place')) this.step = 'place';
    if (this.preset === 'minecraft' && this.pause) this.step = 'folder';
    return true;
  }
}

type Kept = Pick<Wizard, 'step' | 'folder' | 'look' | 'name' | 'preset' | 'pause' | 'rconPort' | 'place' | 'placeName' | 'added' | 'keep'>;
