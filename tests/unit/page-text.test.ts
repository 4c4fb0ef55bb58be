import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'svelte/compiler';
import { expect, test } from 'vitest';
import { en } from '../../renderer/words/en/index.ts';

/** What is called so in every language. */
const same = /Holdfast|https?:\/\/[\d.:]+/g;
/** A person reads or hears what is given to these, be it to an element or to one of the page's own components. */
const read = /^(title|alt|placeholder|label|says|help|cause|rest|word|valueText|aria-(label|description|valuetext|roledescription))$/;

type Node = Readonly<Record<string, unknown>>;

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;
const childrenOf = (node: Node): readonly Node[] => Object.values(node).flat().filter(isNode);
/** A key to the catalogue is none: some components take one. */
const hasWords = (text: unknown): text is string =>
  typeof text === 'string' && /\p{L}/u.test(text.replace(same, '')) && !Object.hasOwn(en, text);

/** Texts that an expression may come to by itself. What it asks of a function is that one's, as is a key to the catalogue; what it compares is not shown. */
function textsOf(node: Node): readonly string[] {
  if (['CallExpression', 'MemberExpression', 'BinaryExpression'].includes(String(node['type'])) && node['operator'] !== '+') return [];
  if (node['type'] === 'ConditionalExpression') return [node['consequent'], node['alternate']].filter(isNode).flatMap(textsOf);
  if (node['type'] === 'Literal') return hasWords(node['value']) ? [node['value']] : [];
  if (node['type'] === 'TemplateElement')
    return hasWords((node['value'] as Node)['cooked']) ? [String((node['value'] as Node)['cooked'])] : [];
  return childrenOf(node).flatMap(textsOf);
}

/** Words of a component's markup that do not come from the catalogue. */
function literalWords(node: Node): readonly string[] {
  switch (node['type']) {
    case 'Text':
      return hasWords(node['data']) ? [node['data'].trim()] : [];
    case 'ExpressionTag':
      return textsOf(node['expression'] as Node);
    case 'Attribute':
      return read.test(String(node['name'])) ? [node['value']].flat().filter(isNode).flatMap(literalWords) : [];
    case 'StyleDirective':
      return [];
    default:
      return childrenOf(node).flatMap(literalWords);
  }
}

const wordsOf = (source: string): readonly string[] => literalWords(parse(source, { modern: true }).fragment as unknown as Node);

test.each([
  ['<p>Back up <b>now</b></p>', ['Back up', 'now']],
  ['<p class="big row">{busy ? "Wait" : t("go")} · 5</p>', ['Wait']],
  ['<button title="Close" aria-label={`Close ${name}`}></button>', ['Close', 'Close ']],
  ['<Field label="Name" help="place.prefix.help" bind:value placeholder="0" />', ['Name']],
  ['{#if kind === "ghost"}<Note cause={"It " + what} tone="late" />{/if}', ['It ']],
])('words that stand in a component are found: %s', (source, words) => {
  expect(wordsOf(source)).toEqual(words);
});

test('no component has words of its own: all that is read or heard comes from the catalogue', () => {
  const folder = join(import.meta.dirname, '../../renderer');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.svelte'));
  expect(names.length).toBeGreaterThan(80);
  const found = names.flatMap((name) => wordsOf(readFileSync(join(folder, name), 'utf8')).map((text) => `${name}: ${text}`));
  expect(found).toEqual([]);
});
