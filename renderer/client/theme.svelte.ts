import { tellHost } from './look.ts';

export type Look = 'system' | 'light' | 'dark';

const stored = 'holdfast.look';

/** Light, dark, or as the system; see the dark blocks of tokens.css. */
class Theme {
  look = $state<Look>(read());

  use(look: Look): void {
    this.look = look;
    window.localStorage.setItem(stored, look);
    this.apply();
    tellHost({ theme: look });
  }

  /** As it was chosen; the host around the page, which may be new, is told. */
  begin(): void {
    this.apply();
    if (window.localStorage.getItem(stored) !== null) tellHost({ theme: this.look });
  }

  apply(): void {
    if (this.look === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = this.look;
  }
}

function read(): Look {
  const kept = window.localStorage.getItem(stored);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

export const theme = new Theme();
