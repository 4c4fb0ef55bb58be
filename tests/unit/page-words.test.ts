import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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

test('the desktop has words for every notice: the service’s own in English, by what it is about in German', () => {
  const own = { title: 'Creative: the backup failed', text: 'nas: the line is down', next: 'Check the line.' };
  const about = { server: 'creative', name: 'Creative', at: 0, repeats: 0, ...own };
  const kinds = noticeKinds.flatMap((kind) => [undefined, ...jobKinds, 'at-rest' as const].map((what) => ({ kind, what })));
  for (const { kind, what } of kinds) {
    for (const fault of [undefined, ...faultCodes]) {
      const notice = { ...about, kind, ...(what === undefined ? {} : { what }), ...(fault === undefined ? {} : { fault }) };
      expect(wordsIn.en.noticed(notice)).toEqual(own);
      const german = wordsIn.de.noticed(notice);
      expect([kind, Object.values(german).filter((text) => /failed|line|undefined/.test(text)), german.title === '']).toEqual([
        kind,
        [],
        false,
      ]);
    }
  }
  const unavailable = wordsIn.de.noticed({ ...about, kind: 'failed', what: 'backup', fault: 'unavailable' });
  expect(unavailable).toEqual({
    title: 'Creative: die Sicherung ist fehlgeschlagen',
    text: de['fault.unavailable.says'],
    next: de['fault.unavailable.next'],
  });
});

test('all that the sources can say has its sentence in German: every fault, every warning, and what is said more exactly', () => {
  const main = join(import.meta.dirname, '../../main');
  const texts = readdirSync(main, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(main, name), 'utf8'));
  const found = (pattern: RegExp): string[] => [
    ...new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map(([, key]) => key ?? ''))),
  ];
  const german: Readonly<Record<string, string>> = de;
  const faults = found(/new Fault\(\s*'([a-z-]+)'/g);
  const warnings = found(/\{\s*code: '([a-z-]+)'(?: as const)?,\s*(?:message|path)/g);
  const said = found(/\b(?:say|saying)\(\s*'([a-z-]+)'/g);
  expect([faults.length > 15, warnings.length > 10, said.length > 25]).toEqual([true, true, true]);
  const wanted = [
    ...faults.flatMap((code) => [`fault.${code}.says`, `fault.${code}.next`]),
    ...warnings.map((code) => `warning.${code}`),
    ...said.flatMap((key) => [`say.${key}.says`, `say.${key}.next`]),
  ];
  expect(wanted.filter((key) => (german[key] ?? '') === '')).toEqual([]);
});
