import type { CallInput } from '../../../main/contract/calls.ts';
import type { ServerSettings } from '../../../main/contract/server-settings.ts';
import { keepOf, ScheduleDraft, typedKeep, type Tier } from '../schedule/schedule-draft.svelte.ts';

type Often = ServerSettings['verify'];

/** A server's settings while a person changes them. What the form does not show stays as it is. */
export class ServerForm {
  readonly #before: ServerSettings;
  readonly schedule = new ScheduleDraft();
  name = $state('');
  folder = $state('');
  places = $state<Record<string, boolean>>({});
  /** Empty: none. */
  preset = $state('');
  excludes = $state('');
  /** `other`: what only the command line sets. */
  pause = $state<'none' | 'minecraft' | 'other'>('none');
  rconPort = $state('25575');
  rconPassword = $state('');
  verify = $state<Often>('weekly');
  drill = $state<Often>('monthly');
  readonly keep: Record<Tier, string>;

  constructor(before: ServerSettings) {
    this.#before = before;
    this.name = before.name;
    this.folder = before.folder;
    this.places = Object.fromEntries(before.destinations.map((name) => [name, true]));
    this.preset = before.preset ?? '';
    this.excludes = before.excludes.join('\n');
    const { quiesce } = before;
    this.pause = quiesce.kind === 'none' || quiesce.kind === 'minecraft' ? quiesce.kind : 'other';
    if (quiesce.kind === 'minecraft') this.rconPort = String(quiesce.rcon.port);
    this.verify = before.verify;
    this.drill = before.drill;
    this.schedule.take(before.schedule);
    const keep = $state(typedKeep(before.keep));
    this.keep = keep;
  }

  get pauseKind(): string {
    return this.#before.quiesce.kind;
  }

  get chosen(): readonly string[] {
    return Object.entries(this.places).flatMap(([name, chosen]) => (chosen ? [name] : []));
  }

  get usesRcon(): boolean {
    return this.pause === 'minecraft';
  }

  request(): CallInput<'server.edit'> {
    const before = { ...this.#before };
    delete before.preset;
    const { quiesce } = this.#before;
    const minecraft = quiesce.kind === 'minecraft' ? quiesce : { kind: 'minecraft' as const, rcon: {} };
    const paused = { ...minecraft, rcon: { ...minecraft.rcon, port: Number(this.rconPort) } };
    return {
      server: {
        ...before,
        ...{ name: this.name.trim(), folder: this.folder.trim(), destinations: [...this.chosen] },
        ...(this.preset === '' ? {} : { preset: this.preset }),
        excludes: this.excludes.split('\n').filter((line) => line.trim() !== ''),
        schedule: this.schedule.settings(),
        keep: { ...this.#otherRules(), ...keepOf(this.keep, this.#before.keep) },
        ...{ verify: this.verify, drill: this.drill },
        quiesce: this.pause === 'other' ? quiesce : this.pause === 'none' ? { kind: 'none' } : paused,
      },
      ...(this.pause === 'minecraft' && this.rconPassword !== '' ? { rconPassword: this.rconPassword } : {}),
    };
  }

  /** Members of the rules that a later version added. */
  #otherRules(): Record<string, unknown> {
    const shown: readonly string[] = Object.keys(this.keep);
    return Object.fromEntries(Object.entries(this.#before.keep).filter(([name]) => !shown.includes(name)));
  }
}
