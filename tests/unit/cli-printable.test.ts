import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printable, printableJson } from '../../main/headless/printable.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 40 });
/** Everything that moves the cursor, starts an escape sequence, ends a line, or turns the direction of writing. */
// eslint-disable-next-line no-control-regex -- control characters are what must be gone
const harmful = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

describe('printable text', () => {
  it.each([
    ['world/r.0.0.mca', 'world/r.0.0.mca'],
    ['\u001b[2J\u001b]0;owned\u0007', '\\x1b[2J\\x1b]0;owned\\x07'],
    ['\u009b31m', '\\x9b31m'],
    ['a\nfake line\r', 'a\\x0afake line\\x0d'],
    ['txt.\u202eexe', 'txt.\\u202eexe'],
    ['Grüße 世界 🎮', 'Grüße 世界 🎮'],
    ['\ud800', '\\ud800'],
  ])('%j prints as %s', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('never holds anything that a terminal obeys', () => {
    fc.assert(fc.property(anyText, (text) => !harmful.test(printable(text))));
  });

  it('is one line of JSON that means the same and that a terminal does not obey', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const json = printableJson({ path: text });
        expect(harmful.test(json)).toBe(false);
        expect(JSON.parse(json)).toEqual({ path: text });
      }),
    );
  });
});
