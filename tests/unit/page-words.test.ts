import { IntlMessageFormat } from 'intl-messageformat';
import { describe, expect, test } from 'vitest';
import { wordsIn } from '../../main/contract/app-words.ts';
import { faultCodes } from '../../main/contract/faults.ts';
import { jobKinds, jobStates } from '../../main/contract/jobs.ts';
import { noticeKinds } from '../../main/contract/notices.ts';
import { warningCodes } from '../../main/contract/reports.ts';
import { say, saying, sayings, sayOf } from '../../main/contract/sayings.ts';
import { de } from '../../renderer/words/de/index.ts';
import { en } from '../../renderer/words/en/index.ts';

const catalogues: Readonly<Record<string, Readonly<Record<string, string>>>> = { en, de };
const keys = Object.keys(en);

/** What is put into a sentence, by name. */
function namesIn(text: string): string[] {
  const names = new Set<string>();
  const walk = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    // A literal is of type 0, the number in a plural of type 7; all else has the name of what is put in.
    if ('type' in part && 'value' in part && part.type !== 0 && part.type !== 7) names.add(String(part.value));
    Object.values(part).forEach(walk);
  };
  walk(new IntlMessageFormat(text, 'en').getAst());
  return [...names].sort();
}

/** The steps of a destination's test, as engine and providers name them. */
const checks = [
  'connect',
  'keys',
  'write',
  'read',
  'range',
  'list',
  'overwrite',
  'create-once',
  'checksum',
  'checksums-sent',
  'space',
].concat(...['clock', 'delete', 'leftovers']);

test('in German nothing is manufactured, and the secret of the keychain is called as its field is', () => {
  const wrong = /(?<!wieder)hergestellt|(?<!wieder)(?<!Wieder)\b[Hh]erstellen|Passphrase/;
  expect(Object.entries(de).filter(([, text]) => wrong.test(text))).toEqual([]);
});

describe.each(Object.entries(catalogues))('the page in %s', (_language, words) => {
  test.each([
    ['every fault', faultCodes.flatMap((code) => [`fault.${code}.says`, `fault.${code}.next`])],
    ['all that the service says more exactly', Object.keys(sayings).flatMap((key) => [`say.${key}.says`, `say.${key}.next`])],
    ['every warning', [...warningCodes, 'other'].map((code) => `warning.${code}`)],
    ['every kind and state of a job', [...jobKinds.map((kind) => `job.${kind}`), ...jobStates.map((state) => `job.state.${state}`)]],
    ['every step of a connection’s test', checks.flatMap((name) => [`test.check.${name}.ok`, `test.check.${name}.fail`])],
  ])('has words for %s', (_what, wanted) => {
    expect(wanted.filter((key) => (words[key] ?? '') === '')).toEqual([]);
  });

  test('puts into them what the service gives, and nothing else', () => {
    for (const [key, names] of Object.entries(sayings)) {
      const used = namesIn(`${words[`say.${key}.says`] ?? ''} ${words[`say.${key}.next`] ?? ''}`);
      expect([key, used.filter((name) => !(names as readonly string[]).includes(name))]).toEqual([key, []]);
    }
  });

  test('calls a backup place a backup place', () => {
    expect(keys.filter((key) => /destination/i.test(words[key] ?? ''))).toEqual([]);
  });
});

test('both languages have the same sentences with the same things put in, and none was left untranslated', () => {
  const german: Readonly<Record<string, string>> = de;
  const english: Readonly<Record<string, string>> = en;
  expect(Object.keys(de).sort()).toEqual([...keys].sort());
  for (const key of keys) expect([key, namesIn(german[key] ?? '')]).toEqual([key, namesIn(english[key] ?? '')]);
  const sentences = keys.filter((key) => /^(fault|say|warning|job\.says)\./.test(key));
  expect(sentences.filter((key) => german[key] === english[key])).toEqual([]);
});

test('a fault carries a sentence with what is put in, and what it does not know is left out', () => {
  const context = { ...saying('place-taken', { name: 'nas' }), other: 1 };
  expect(sayOf({ context })).toEqual(say('place-taken', { name: 'nas' }));
  expect(sayOf({ context: { say: 'of a newer version' } })).toBeNull();
  expect(sayOf({ context: { say: 'toString' } })).toBeNull();
  expect(sayOf({ context: {} })).toBeNull();
});

test('the tray has a title for every notice: the service’s own in English, by its kind in German', () => {
  for (const kind of noticeKinds) {
    expect(wordsIn.en.noticed({ kind, title: 'Creative: the backup failed', name: 'Creative' })).toBe('Creative: the backup failed');
    const german = wordsIn.de.noticed({ kind, title: 'Creative: the backup failed', name: 'Creative' });
    expect([kind, german.includes('failed'), german === '']).toEqual([kind, false, false]);
    expect(wordsIn.de.noticed({ kind, title: 'T' })).not.toContain('undefined');
  }
});
