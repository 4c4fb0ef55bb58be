export interface Toast {
  readonly id: number;
  readonly says: string;
  readonly action?: { readonly says: string; readonly run: () => unknown };
}

/** Short words at the bottom, never for an error. */
class Toasts {
  all = $state.raw<readonly Toast[]>([]);
  #next = 1;

  say(says: string, action?: Toast['action']): void {
    this.all = [...this.all, { id: this.#next++, says, ...(action === undefined ? {} : { action }) }];
  }

  drop(id: number): void {
    this.all = this.all.filter((toast) => toast.id !== id);
  }
}

export const toasts = new Toasts();
