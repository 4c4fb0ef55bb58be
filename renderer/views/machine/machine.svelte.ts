import { SvelteMap } from 'svelte/reactivity';
import type { CallReply } from '../../../main/contract/calls.ts';
import { isSamePlace } from '../../../main/contract/same-place.ts';
import { call } from '../../client/call.ts';
import { service } from '../../client/service.svelte.ts';
import { Task } from '../../client/task.svelte.ts';
import { PlaceDraft } from '../place/place-draft.svelte.ts';
import { suggestedName } from '../settings/place-name.ts';

export const steps = ['place', 'password', 'servers'] as const;

/** Bringing servers to a computer that is new: which place, its password, what is in it. */
export class Machine {
  step = $state<(typeof steps)[number]>('place');
  readonly draft = new PlaceDraft();
  readonly task = new Task();
  password = $state('');
  /** The place that is there and is looked into; empty while one is being described. */
  place = $state('');
  found = $state.raw<CallReply<'destination.servers'>>([]);
  /** What was added from here, by what it was described as: a listing that fails must not add it a second time. */
  readonly #added = new SvelteMap<string, string>();

  get at(): number {
    return steps.indexOf(this.step);
  }

  /** Looks into a place that there is; one whose password is not kept asks for it first. */
  async pick(name: string): Promise<void> {
    this.place = name;
    this.password = '';
    if (service.destinations.find((row) => row.name === name)?.hasPassword === false) this.step = 'password';
    else await this.look();
  }

  /** Describes another one. */
  describe(): void {
    this.place = '';
    this.step = 'password';
  }

  async open(): Promise<void> {
    const { place, draft, password } = this;
    const opened = await this.task.run(async (signal) => {
      const name = place === '' ? this.#known() : place;
      if (name === undefined) await this.#add(signal);
      else {
        const secrets = place === '' ? draft.secrets() : {};
        if (Object.keys(secrets).length > 0) await call('destination.edit', { name, secrets }, signal);
        await call('destination.setPassword', { name, password }, signal);
      }
      await service.load();
    });
    if (opened) await this.look();
  }

  /** The same place under a name already. With an account, nobody can tell whose it is: only what was added from here counts. */
  #known(): string | undefined {
    const { draft } = this;
    const added = this.#added.get(draft.mark);
    if (added !== undefined || draft.needsSignIn) return added;
    return service.destinations.find((row) => isSamePlace(row.settings, draft.settings()))?.name;
  }

  async #add(signal: AbortSignal): Promise<void> {
    const { draft, password } = this;
    const taken = service.destinations.map((row) => row.name);
    const name = suggestedName(draft.settings(), taken);
    const signIn = draft.signIn === null ? {} : { signIn: draft.signIn };
    await call('destination.add', { name, settings: draft.settings(), secrets: draft.secrets(), ...signIn, password }, signal);
    this.#added.set(draft.mark, name);
  }

  async look(): Promise<void> {
    const name = this.place === '' ? (this.#known() ?? '') : this.place;
    await this.task.run(async (signal) => {
      this.found = await call('destination.servers', { name }, signal);
      this.place = name;
      this.step = 'servers';
    });
  }

  back(): void {
    this.task.fault = null;
    // The place that was picked is one of the list, the one that was described is still in the form.
    this.step = 'place';
    this.place = '';
  }
}
