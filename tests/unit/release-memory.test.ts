import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { createFrameRingMemory } from '../../main/adapters/compute/frame-ring.ts';
import { threadPacker } from '../../main/adapters/compute/pack/packer.ts';
import { trimmer } from '../../main/adapters/system/trim-memory.ts';
import { cleanStretches, releaseProgramPages } from '../../main/adapters/system/program-pages.ts';
import { world } from '../support/engine-on-memory.ts';
import { tempFolder } from '../support/temp-folder.ts';

function stretch(range: string, rights: string, name: string, anonymous: number): string {
  return `${range} ${rights} 00001000 fd:00 4711                       ${name}\nRss:                 64 kB\nAnonymous:           ${String(anonymous)} kB\nVmFlags: rd mr\n`;
}

describe('threads that collect at the same time', () => {
  it('all find the collector, whose flag is that of the whole process', async () => {
    const collecting = (): Promise<unknown> =>
      new Promise((settle, reject) => {
        new Worker(new URL('../support/collecting.ts', import.meta.url)).once('message', settle).once('error', reject);
      });
    expect(await Promise.all([collecting(), collecting(), collecting()])).toEqual(['done', 'done', 'done']);
  });
});

describe('pages of the program', () => {
  it('are found where they are as the file has them, and nowhere else', () => {
    const smaps = [
      stretch('1000-3000', 'r--p', '/opt/a node', 0),
      stretch('3000-4000', 'r-xp', '/opt/a node', 0),
      stretch('4000-5000', 'r--p', '/opt/a node', 4),
      stretch('5000-6000', 'rw-p', '/opt/a node', 0),
      stretch('6000-7000', 'r-xp', '/opt/a node (deleted)', 0),
      stretch('7000-8000', 'r-xp', '/opt/other', 0),
      stretch('8000-9000', 'r--p', '', 0),
    ].join('');
    expect(cleanStretches(smaps, '/opt/a node')).toEqual([
      { address: 0x1000, length: 0x2000 },
      { address: 0x3000, length: 0x1000 },
    ]);
  });

  it.runIf(process.platform === 'linux')('leave memory, and come back when they are needed', () => {
    const resident = (): number => Number(/RssFile:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]);
    const before = resident();
    releaseProgramPages();
    expect(resident()).toBeLessThan(before * 0.8);
    expect(JSON.parse('{"still":[1,2]}')).toEqual({ still: [1, 2] });
  });
});

describe('parts on their way to a destination', () => {
  it('hold 32 MiB at most, four or fewer, and two where they are large', () => {
    const partSizes = [1, 8, 16, 100].map((megabytes) => megabytes * 2 ** 20);
    const { parts } = createFrameRingMemory({ slots: 2, partSizes });
    expect(parts.map(({ slots }) => slots)).toEqual([4, 4, 2, 2]);
    expect(parts.map(({ bytes }, index) => bytes.byteLength / (partSizes[index] ?? 0))).toEqual([4, 4, 2, 2]);
  });
});

describe('what the C library holds back', () => {
  it('is given back for each 32 MiB that were sent, in parts of any size', () => {
    let trims = 0;
    const sent = trimmer(() => trims++);
    for (let part = 0; part < 6; part++) sent(16 * 2 ** 20);
    expect(trims).toBe(3);
    for (let part = 0; part < 31; part++) sent(2 ** 20);
    expect(trims).toBe(3);
    sent(2 ** 20);
    expect(trims).toBe(4);
  });

  it('is told by a packer of every byte that is sent', async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'file'), randomBytes(3_000_000));
    let sent = 0;
    const engine = world({ host: { packer: threadPacker({ onSent: (bytes) => (sent += bytes) }) } });
    await engine.backup(folder);
    expect(sent).toBeGreaterThan(3_000_000);
  });
});
