export interface Entry {
  /** One character for each byte. */
  readonly path: string;
  readonly isDirectory: boolean;
}

const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** Every folder on the way is an entry too, and a name cannot be both file and folder. */
export function treeOf(listed: readonly Entry[]): readonly Entry[] {
  const folders = new Set<string>();
  for (const { path, isDirectory } of listed) {
    if (isDirectory) folders.add(path);
    for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) folders.add(path.slice(0, at));
  }
  return [...new Set([...folders, ...listed.map(({ path }) => path)])].sort().map((path) => ({ path, isDirectory: folders.has(path) }));
}

/** A small repeatable source of choices. */
export function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Names that patterns could stumble over, some no UTF-8. */
export const names = [
  'a',
  'b',
  'foo',
  'Foo',
  'foo.tmp',
  'bar',
  'logs',
  'cache',
  'world',
  'region',
  'r.0.0.mca',
  'session.lock',
  '.hidden',
  '..twice',
  '...',
  ' leading',
  'trailing ',
  'in side',
  'back\\slash',
  '#hash',
  '!bang',
  'brack[et]',
  'cur{ly}',
  'do$lar',
  'pl+us',
  'ca^ret',
  'pi|pe',
  '(round)',
  latin1('grün'),
  latin1('世界'),
  latin1('e\u0301'),
  latin1('é'),
  latin1('à'),
  latin1('😀.tmp'),
  '\xff\xfe',
  'half\xc3',
  '\xa0',
  'new\nline',
  'tab\t',
  '*',
  '?',
  '-',
  'a-b',
  '0',
  '123',
  'constructor',
  '__proto__',
  'latest.log',
  'x.tmp.bak',
];

export function generateTree(pick: (below: number) => number): readonly Entry[] {
  return treeOf(
    Array.from({ length: 120 }, () => ({
      path: Array.from({ length: 1 + pick(5) }, () => names[pick(names.length)] ?? 'a').join('/'),
      isDirectory: pick(3) === 0,
    })),
  );
}

const pieces = [
  ...names.filter((name) => !/[\x80-\xff\n]/.test(name)).map((name) => name.replace(/[\\*?[!#]/g, '\\$&').replace(/ $/, '\\ ')),
  'grün',
  '世界',
  'é',
  'à',
  'e\u0301',
  '*',
  '*',
  '*.tmp',
  'f*',
  '*o*',
  '?',
  '??',
  '???',
  '[a-f]oo',
  '[!a]*',
  '[[:alpha:]]',
  '*.l[oi]*',
  '\\f\\o\\o',
  '**',
  '**',
  'r.*.mca',
  '*e',
];

export function generatePattern(pick: (below: number) => number): string {
  const parts = Array.from({ length: 1 + pick(3) }, () => pieces[pick(pieces.length)] ?? '*');
  const negated = pick(4) === 0 ? '!' : '';
  return `${negated}${pick(3) === 0 ? '/' : ''}${parts.join('/')}${pick(3) === 0 ? '/' : ''}`;
}
