import { describe, expect, it } from 'vitest';
import { Fault } from '../../main/contract/faults.ts';
import { asBytePath, pathFromText } from '../../main/engine/archive/byte-path.ts';
import { compileIncludes, parseIgnoreFile } from '../../main/engine/archive/exclude.ts';
import { generatePattern, generateTree, generator } from '../support/path-trees.ts';

describe('includes', () => {
  const wanted = (patterns: readonly string[], path: string, isDirectory = false): boolean =>
    compileIncludes(patterns).includes(pathFromText(path), isDirectory);
  const leads = (patterns: readonly string[], folder: string): boolean => compileIncludes(patterns).mayContain(pathFromText(folder));

  it('want everything when nothing is named', () => {
    expect(wanted([], 'anything')).toBe(true);
    expect(leads([], 'any/where')).toBe(true);
  });

  it('want a folder with all that is below it', () => {
    expect(wanted(['world/'], 'world', true)).toBe(true);
    expect(wanted(['world/'], 'world/region/r.0.0.mca')).toBe(true);
    expect(wanted(['world/'], 'world')).toBe(false);
    expect(wanted(['/plugins/*.jar'], 'plugins/x.jar')).toBe(true);
    expect(wanted(['/plugins/*.jar'], 'other/plugins/x.jar')).toBe(false);
  });

  it('know the folders that cannot lead to anything wanted', () => {
    expect(leads(['/world/region/r.*.mca'], 'world')).toBe(true);
    expect(leads(['/world/region/r.*.mca'], 'world/region')).toBe(true);
    expect(leads(['/world/region/r.*.mca'], 'world/data')).toBe(false);
    expect(leads(['/world/region/r.*.mca'], 'logs')).toBe(false);
    expect(leads(['world/**/x'], 'world/any/depth')).toBe(true);
    expect(leads(['world/**/x'], 'logs')).toBe(false);
    expect(leads(['*.jar'], 'any/where')).toBe(true);
    expect(leads(['/a/[x/]/b'], 'any')).toBe(true);
    expect(leads(['/world'], 'world/region')).toBe(true);
    expect(leads(['!/world/x', '/logs/y'], 'world')).toBe(false);
  });

  it('never say no to a folder above something wanted', () => {
    let above = 0;
    for (let seed = 1; seed <= 200; seed += 1) {
      const pick = generator(seed * 104729);
      const entries = generateTree(pick);
      const patterns = Array.from({ length: 1 + pick(4) }, () => generatePattern(pick));
      const { includes, mayContain } = compileIncludes(patterns);
      for (const { path, isDirectory } of entries) {
        if (!includes(asBytePath(path), isDirectory)) continue;
        const parts = path.split('/');
        for (let depth = 1; depth < parts.length; depth += 1) {
          above += 1;
          const folder = parts.slice(0, depth).join('/');
          if (!mayContain(asBytePath(folder))) expect.fail(`${JSON.stringify(patterns)}: ${folder} is on the way to ${path}`);
        }
      }
    }
    expect(above).toBeGreaterThan(1000);
  });
});

describe('.holdfastignore', () => {
  it('is read with a byte order mark, CR LF, comments, blanks and leading spaces as they are meant', () => {
    const bytes = Buffer.from('\uFEFF# first\r\n*.tmp\r\n\r\n   \r\n  lead\n\\#not a comment\n/ünter/\r\nlast\r', 'utf8');
    expect(parseIgnoreFile(bytes)).toEqual(['*.tmp', '  lead', '\\#not a comment', '/ünter/', 'last']);
    expect(parseIgnoreFile(new Uint8Array())).toEqual([]);
  });

  it('is refused when it is no UTF-8, with the line named', () => {
    expect(() => parseIgnoreFile(Buffer.from('ok\nbad \xff\n', 'latin1'))).toThrow(Fault);
    expect(() => parseIgnoreFile(Buffer.from('ok\nbad \xff\n', 'latin1'))).toThrow(/line 2/);
  });
});
