import { IntlMessageFormat } from 'intl-messageformat';
import { de } from '../../../renderer/words/de/index.ts';
import { en } from '../../../renderer/words/en/index.ts';

export type Language = 'en' | 'de';
export type Say = (key: keyof typeof en, values?: Readonly<Record<string, string | number>>) => string;

/** What the page says in a language, so that one flow can be walked in each. */
export function sayIn(language: Language): Say {
  const words = { en, de }[language];
  return (key, values) => String(new IntlMessageFormat(words[key], language).format(values));
}
