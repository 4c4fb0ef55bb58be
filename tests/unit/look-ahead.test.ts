import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LookAhead, type CountedAhead } from '../../main/adapters/compute/pack/look-ahead.ts';
import { walk } from '../../main/adapters/files/walk.ts';
import { tempFolder } from '../support/temp-folder.ts';

function lookAhead(
  root: string,
  { afterMs = 0, stopped = (): boolean => false } = {},
): { readonly passed: () => void; readonly told: readonly CountedAhead[] } {
  const told: CountedAhead[] = [];
  const ahead = new LookAhead({
    walk: () => walk({ root, statFiles: true, excluded: (path) => path === 'logs', onError: () => undefined }),
    ...{ afterMs, stopped, tell: (counted) => void told.push(counted) },
  });
  return { passed: () => ahead.passed(), told };
}

function tree(): string {
  const root = tempFolder();
  for (const folder of ['logs', 'world']) mkdirSync(join(root, folder));
  writeFileSync(join(root, 'logs', 'latest.log'), Buffer.alloc(5_000));
  writeFileSync(join(root, 'world', 'region'), Buffer.alloc(300));
  for (const name of ['region too', 'region three']) linkSync(join(root, 'world', 'region'), join(root, 'world', name));
  writeFileSync(join(root, 'empty'), '');
  symlinkSync('world/region', join(root, 'link'));
  return root;
}

describe('counting what a run will read', () => {
  it('tells of all files once, hard links by their content, without what is left out', () => {
    const { passed, told } = lookAhead(tree());
    passed();
    passed();
    expect(told).toEqual([{ files: 4, bytes: 300 }]);
  });

  it('not before the run has gone on for a while', () => {
    const { passed, told } = lookAhead(tree(), { afterMs: 3_600_000 });
    passed();
    expect(told).toEqual([]);
  });

  it('tells nothing of a folder that is gone, or of a run that has ended meanwhile', () => {
    const gone = lookAhead(join(tempFolder(), 'gone'));
    gone.passed();
    expect(gone.told).toEqual([]);
    const ended = lookAhead(tree(), { stopped: () => true });
    ended.passed();
    expect(ended.told).toEqual([]);
  });
});
