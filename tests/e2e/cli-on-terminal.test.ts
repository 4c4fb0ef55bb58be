import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { holdfast } from '../support/run-cli.ts';
import { password, Workshop } from '../support/run-holdfast.ts';
import { systemNode } from '../support/system-node.ts';
import { hasTerminal, onTerminal } from '../support/terminal.ts';

const node = systemNode();
const missing = hasTerminal && node !== null ? '' : ' (there is no Python with pty, or no Node but the pinned one)';

describe.skipIf(missing !== '')(`a first backup over a slow line, on a terminal${missing}`, () => {
  const shop = new Workshop('terminal');

  test('says how long it will still take; Ctrl-C, of which launcher and command both hear, ends it and leaves nothing begun', async () => {
    const source = shop.path('survival');
    mkdirSync(source);
    // More than what is on its way at once: it waits for the line.
    for (let file = 0; file < 8; file += 1) writeFileSync(shop.path('survival', `region ${file}`), randomBytes(12_000_000));
    const run = await onTerminal(
      [node ?? '', holdfast, 'backup', source, '-d', `folder:${shop.place}`, '--limit-upload', '1500K'],
      [{ expect: ' left', send: '\u0003', quiet: false }],
      { HOLDFAST_PASSWORD: password, HOLDFAST_STATE_DIR: shop.state, TERM: 'xterm' },
    );
    expect(run.transcript).toMatch(/Packing {2}\d of 8 files {2}[\d.]+ MiB of 91\.6 MiB {2}\d+ % {2}[\d.]+ [KM]iB\/s {2}.+ left/);
    expect([run.code, run.transcript.split('\n').at(-2)?.trim()], run.transcript).toEqual([
      130,
      expect.stringContaining('Start it again when you like') as string,
    ]);
    expect(shop.unfinished()).toEqual([]);
  });
});
