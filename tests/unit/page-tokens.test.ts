import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const css = readFileSync(new URL('../../renderer/design/tokens.css', import.meta.url), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');

/** What a rule sets, by name; `selector` as it is written. */
function tokensOf(selector: string): ReadonlyMap<string, string> {
  const start = css.indexOf(`${selector} {`);
  if (start < 0) throw new Error(`tokens.css has no rule ${selector}`);
  const body = css.slice(css.indexOf('{', start) + 1, css.indexOf('}', start));
  return new Map(
    body
      .split(';')
      .map((line) => line.split(/:(.*)/s).map((part) => part.trim()))
      .flatMap(([name = '', value = '']) => (name === '' ? [] : [[name, value] as const])),
  );
}

const light = tokensOf(':root');
const chosen = tokensOf(":root[data-theme='dark']");
const followed = tokensOf(":root:not([data-theme='light'])");

test('the dark look is the same, whether it is chosen or follows the system', () => {
  expect(Object.fromEntries(followed)).toEqual(Object.fromEntries(chosen));
  expect(chosen.size).toBeGreaterThan(30);
});

test('every colour that the dark look has is one that the light one has, too', () => {
  expect([...chosen.keys()].filter((name) => !light.has(name))).toEqual([]);
});
