import { IntlMessageFormat } from 'intl-messageformat';
import { tellHost } from '../client/look.ts';
import { de } from './de/index.ts';
import { en } from './en/index.ts';

export type Language = 'en' | 'de';
export type Key = keyof typeof en;
export type Values = Readonly<Record<string, string | number>>;

const catalogues: Readonly<Record<Language, Readonly<Record<Key, string>>>> = { en, de };
const stored = 'holdfast.language';

class Words {
  /** What the person chose, or else what the browser asks for. */
  language = $state<Language>(initial());
  readonly #formats = new Map<string, IntlMessageFormat>();

  use(language: Language): void {
    this.language = language;
    window.localStorage.setItem(stored, language);
    document.documentElement.lang = language;
    tellHost({ language });
  }

  /** The host around the page, which may be new, is told of what was chosen. */
  begin(): void {
    if (chosen() !== null) tellHost({ language: this.language });
  }

  /** A sentence of the catalogue, with its values put in. */
  say(key: Key, values?: Values): string {
    const { language } = this;
    const id = `${language} ${key}`;
    let format = this.#formats.get(id);
    if (format === undefined) {
      format = new IntlMessageFormat(catalogues[language][key], language);
      this.#formats.set(id, format);
    }
    // A date may end on the dot of an abbreviation (“20. Nov.”), and so may the sentence.
    return String(format.format(values)).replace(/\.\.$|\.\.(?=\s)/g, '.');
  }

  has(key: string): key is Key {
    return key in en;
  }
}

function chosen(): Language | null {
  const kept = window.localStorage.getItem(stored);
  return kept === 'en' || kept === 'de' ? kept : null;
}

function initial(): Language {
  const language = chosen() ?? (window.navigator.language.startsWith('de') ? 'de' : 'en');
  document.documentElement.lang = language;
  return language;
}

export const words = new Words();

export function t(key: Key, values?: Values): string {
  return words.say(key, values);
}

/** A sentence whose key is made of a part that comes from the service, such as a fault's code; `otherwise` where the catalogue has none. */
export function tOf(key: string, otherwise: string, values?: Values): string {
  return words.has(key) ? words.say(key, values) : otherwise;
}
