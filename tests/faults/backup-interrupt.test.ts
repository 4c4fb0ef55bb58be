import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Workshop } from '../support/run-holdfast.ts';
import { TreeMaker } from '../support/trees.ts';

const shop = new Workshop('interrupt');

/** What lies in the destination, all of it, empty folders for uploads aside. */
function everything(): readonly string[] {
  return readdirSync(shop.place, { recursive: true, encoding: 'utf8' })
    .filter((name) => name !== '.holdfast-uploads')
    .sort();
}

describe('Ctrl-C during a backup', () => {
  it(
    'ends with 130 and leaves of that run only volumes that the next one goes on with, whatever it had done by then',
    { timeout: 600_000 },
    async () => {
      const source = shop.path('survival');
      mkdirSync(source);
      const tree = new TreeMaker(source, 1);
      for (let file = 0; file < 12; file += 1) tree.file(`region ${file}`, 4_000_000);
      expect((await shop.backup(source, ['--volume-size', '8M'])).code).toBe(0);
      let kept = 0;
      let before = everything();
      // Each one waits for another thing that the run has done: the press is never too early, and the upload limit makes it never too late.
      const moments: readonly (() => boolean)[] = [
        () => shop.unfinished().length > 0,
        () => shop.unfinished().some((name) => !name.endsWith('.key')),
        () => everything().length > before.length + 2,
        () => everything().length > before.length + 4,
        () => everything().length > before.length + 6,
      ];
      for (const [index, reached] of moments.entries()) {
        const run = await shop.backup(source, ['--volume-size', '8M', '--force', '--whole', '--limit-upload', '12M'], {
          onStart: (child) => {
            const look = setInterval(() => {
              if (!reached()) return;
              clearInterval(look);
              child.kill('SIGINT');
            }, 5);
            child.once('exit', () => clearInterval(look));
          },
        });
        expect([run.code, run.signal], `${index}: ${run.stdout}`).toEqual([130, null]);
        expect(run.value, String(index)).toMatchObject({ ok: false, fault: { code: 'cancelled' } });
        const left = everything().filter((name) => !before.includes(name));
        const volumes = left.filter((name) => name.endsWith('.partial')).map((name) => name.replace(/partial$/, 'holdfast'));
        const whole = volumes.flatMap((name) => [name, `${name}.sha256`, name.replace(/holdfast$/, 'partial')]);
        expect(left, String(index)).toEqual(whole.sort());
        expect(shop.unfinished(), String(index)).toEqual([]);
        kept += volumes.length;
        before = everything();
      }
      expect(kept).toBeGreaterThan(0);
      expect((await shop.verify()).code).toBe(0);
      expect((await shop.backup(source, ['--force'])).code).toBe(0);
      expect(everything().filter((name) => name.endsWith('.partial'))).toEqual([]);
      expect(existsSync(join(shop.place, 'holdfast.vault'))).toBe(true);
    },
  );
});
