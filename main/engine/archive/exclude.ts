import ignore from 'ignore';
import { Fault } from '../../contract/faults.ts';
import { pathFromText, rootPath } from './byte-path.ts';
import type { BytePath } from './byte-path.ts';

/** Patterns speak of bytes, as git's do: case counts, and a path is held against them with one character for each byte. */
const options = { ignorecase: false, allowRelativePaths: true } as const;

/** The library remembers every path it was asked about; a million of them would be held to the end. */
const pathsRemembered = 8192;

/**
 * gitignore(5) patterns, later ones first in rank, as a test for one entry of a walk from the top. Paths are relative to the
 * root of the walk. Where a folder is left out nothing below it can be brought back, so everything below answers true as well.
 */
export function compileExcludes(patterns: readonly string[]): (path: BytePath, isDirectory: boolean) => boolean {
  const rules = compile(patterns.map(pathFromText));
  let matcher = rules;
  let asked = 0;
  return (path, isDirectory) => {
    // The root itself is no entry: a pattern such as `*` means what lies in it.
    if (patterns.length === 0 || path === '' || path === rootPath) return false;
    if (asked >= pathsRemembered) {
      matcher = ignore(options).add(rules);
      asked = 0;
    }
    asked += 1;
    return matcher.ignores(isDirectory ? `${path}/` : path);
  };
}

export interface Includes {
  /** The entry itself is wanted: it, or a folder above it, matches. */
  readonly includes: (path: BytePath, isDirectory: boolean) => boolean;
  /** False when nothing below the folder can be wanted. True promises nothing. */
  readonly mayContain: (folder: BytePath) => boolean;
}

/**
 * The same syntax turned round: what the patterns name is wanted, a folder with all that is below it. No patterns: everything.
 */
export function compileIncludes(patterns: readonly string[]): Includes {
  if (patterns.length === 0) return { includes: () => true, mayContain: () => true };
  const includes = compileExcludes(patterns);
  const leadsTo = compileLeads(patterns.map(pathFromText));
  return {
    includes,
    mayContain: (folder) => folder === '' || folder === rootPath || leadsTo(folder) || includes(folder, true),
  };
}

function compile(patterns: readonly string[]): ignore.Ignore {
  // One by one as objects: a plain string would be split into lines, and a name may hold a line end.
  return ignore(options).add(patterns.map((pattern) => ({ pattern })));
}

/** Whether a folder lies on the way to something that a pattern could name. */
function compileLeads(patterns: readonly string[]): (folder: BytePath) => boolean {
  const byDepth: string[][] = [];
  const anywhereBelow: string[] = [];
  for (const pattern of patterns) {
    if (pattern.startsWith('!') || pattern.startsWith('#')) continue;
    const segments = anchoredSegments(pattern);
    if (segments === undefined) return () => true;
    const stars = segments.findIndex((segment) => /^\*{2,}$/.test(segment));
    if (stars === 0) return () => true;
    const fixed = stars > 0 ? stars : segments.length - 1;
    for (let depth = 1; depth <= fixed; depth += 1) (byDepth[depth] ??= []).push(`/${segments.slice(0, depth).join('/')}/`);
    if (stars > 0) anywhereBelow.push(`/${segments.slice(0, stars).join('/')}/`);
  }
  // Patterns of one depth match folders of just that depth, so the answer for a folder is never taken from one above it.
  const matchers = byDepth.map((names) => compile(names));
  const below = compileExcludes(anywhereBelow);
  return (folder) => {
    const matcher = matchers[folder.split('/').length];
    return (matcher?.ignores(`${folder}/`) ?? false) || below(folder, true);
  };
}

/** The parts of a pattern that is bound to the root; undefined when it may match at any depth or cannot be cut at its slashes. */
function anchoredSegments(pattern: string): readonly string[] | undefined {
  const body = pattern.replace(/(?<!\\) +$/, '').replace(/\/$/, '');
  if (!body.includes('/') || body.includes('\\/') || /\[[^\]]*\//.test(body)) return undefined;
  return body.replace(/^\//, '').split('/');
}

/**
 * The patterns of a `.holdfastignore`: UTF-8, one a line, a byte order mark and CR before LF allowed, comments and blank lines
 * left out. Text that is no UTF-8 is fault config-invalid: a pattern misread in silence leaves out too much or too little.
 */
export function parseIgnoreFile(bytes: Uint8Array): readonly string[] {
  const lines = decode(bytes)
    .split('\n')
    .map((line) => line.replace(/\r$/, ''));
  return lines.filter((line) => !/^ *$/.test(line) && !line.startsWith('#'));
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    const before = new TextDecoder('utf-8').decode(bytes).split('\uFFFD', 1)[0] ?? '';
    const line = before.split('\n').length;
    throw new Fault('config-invalid', `.holdfastignore is no UTF-8 text (line ${line})`, {
      operation: 'read excludes',
      context: { line },
      cause: error,
    });
  }
}
