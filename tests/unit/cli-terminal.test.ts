import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import type { TerminalRun, TerminalStep } from '../support/terminal.ts';
import { hasTerminal, onTerminal } from '../support/terminal.ts';

const asker = fileURLToPath(new URL('../support/ask-secrets.ts', import.meta.url));

async function ask(questions: readonly string[], steps: readonly TerminalStep[]): Promise<TerminalRun & { readonly answers: unknown }> {
  const file = join(tempFolder(), 'answers.json');
  const run = await onTerminal([process.execPath, asker, file, ...questions], steps);
  return { ...run, answers: JSON.parse(readFileSync(file, 'utf8')) };
}

describe.skipIf(!hasTerminal)('the password prompt on a real terminal', () => {
  it('takes a line without showing it, and trims nothing', async () => {
    const { answers, transcript, echoWhileAsked } = await ask(
      ['Password: '],
      [{ expect: 'Password: ', send: '  a secret, Grüße 🎮 \t\r' }],
    );
    expect(answers).toEqual(['  a secret, Grüße 🎮 \t']);
    expect(echoWhileAsked).toEqual([false]);
    expect(transcript).toBe('Password: \r\n');
  });

  it('lets Backspace take a whole character off and Ctrl-U all of them', async () => {
    const typed = 'wrong\u0015caf\u00e9\u007fe\u00df🎮\u007f\u007f\n';
    expect((await ask(['Password: '], [{ expect: 'Password: ', send: typed }])).answers).toEqual(['cafe']);
    expect((await ask(['Password: '], [{ expect: 'Password: ', send: '\u007f\u007fab\u0008\n' }])).answers).toEqual(['a']);
  });

  it('keeps what was typed ahead for the next question', async () => {
    const { answers, transcript } = await ask(['First: ', 'Second: '], [{ expect: 'First: ', send: 'one\rtwo\r' }]);
    expect(answers).toEqual(['one', 'two']);
    expect(transcript).toBe('First: \r\nSecond: \r\n');
  });

  it('asks twice in a row', async () => {
    const steps = [
      { expect: 'First: ', send: 'one\r' },
      { expect: 'Second: ', send: 'two\r' },
    ];
    expect((await ask(['First: ', 'Second: '], steps)).answers).toEqual(['one', 'two']);
  });

  it.each([
    ['Ctrl-C', 'half\u0003'],
    ['Ctrl-D on an empty line', '\u0004'],
  ])('%s is a cancel, and the terminal shows what is typed again', async (_, typed) => {
    expect((await ask(['Password: '], [{ expect: 'Password: ', send: typed }])).answers).toEqual(['fault cancelled']);
  });

  it('refuses bytes that are no UTF-8 instead of changing them', async () => {
    const send = new Uint8Array([0x61, 0xff, 0xfe, 0x0d]);
    expect((await ask(['Password: '], [{ expect: 'Password: ', send }])).answers).toEqual(['fault config-invalid']);
  });
});
