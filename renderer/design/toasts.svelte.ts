import { untrack } from 'svelte';

export interface Toast {
  readonly id: number;
  readonly says: string;
  readonly action?: { readonly says: string; readonly run: () => unknown };
}

/** Short words at the bottom, never for an error. */
class Toasts {
  all = $state.raw<readonly Toast[]>([]);
  /** Where they can be shown: in the page, and in each dialog above it, which hides and stills all that is below. */
  #layers = $state.raw<readonly number[]>([]);
  #next = 1;

  get top(): number | undefined {
    return this.#layers.at(-1);
  }

  /** A new topmost layer; returns its number and how to leave it. */
  enter(): readonly [layer: number, leave: () => void] {
    const layer = this.#next++;
    untrack(() => (this.#layers = [...this.#layers, layer]));
    return [layer, () => (this.#layers = this.#layers.filter((one) => one !== layer))];
  }

  say(says: string, action?: Toast['action']): void {
    this.all = [...this.all, { id: this.#next++, says, ...(action === undefined ? {} : { action }) }];
  }

  drop(id: number): void {
    this.all = this.all.filter((toast) => toast.id !== id);
  }
}

export const toasts = new Toasts();
