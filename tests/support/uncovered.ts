import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

/** As V8 writes it to NODE_V8_COVERAGE; the ranges of a function lie inside each other. */
interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
}

/**
 * The blocks (functions, branches) of a source that no process ran, as `path:line: text`. `folder`: what NODE_V8_COVERAGE named for them all. Node's
 * own stripping of types leaves every character in its place, so V8's offsets are the source's; a file that nobody loaded is uncovered as a whole.
 */
export function uncovered(folder: string, root: string, path: string): readonly string[] {
  const text = readFileSync(join(root, path), 'utf8');
  const url = pathToFileURL(join(root, path)).href;
  const isRun = new Uint8Array(text.length);
  for (const name of readdirSync(folder)) {
    const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { readonly result: readonly ScriptCoverage[] };
    for (const script of result.filter((one) => one.url === url)) {
      const ran = new Uint8Array(text.length);
      const ranges = script.functions.flatMap((one) => one.ranges).toSorted((one, other) => sizeOf(other) - sizeOf(one));
      for (const { startOffset, endOffset, count } of ranges) ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
      for (const [index, value] of ran.entries()) if (value === 1) isRun[index] = 1;
    }
  }
  const lines = text.split('\n');
  let at = 0;
  return lines.flatMap((line, index) => {
    const from = at;
    at += line.length + 1;
    const left = isRun.subarray(from, at).some((value, offset) => value === 0 && /[^\s{}();,]/.test(line.charAt(offset)));
    return left ? [`${path}:${String(index + 1)}: ${line.trim()}`] : [];
  });
}

function sizeOf({ startOffset, endOffset }: Range): number {
  return endOffset - startOffset;
}
