import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { kitPage } from '../../main/engine/kit/kit-page.ts';
import { kitText } from '../../main/engine/kit/kit-text.ts';
import { kitWords, type KitWords } from '../../main/engine/kit/kit-words.ts';
import { markup } from '../../main/engine/kit/markup.ts';
import { qrCode } from '../../main/engine/kit/qr-code.ts';
import type { RecoveryKit } from '../../main/engine/kit/recovery-kit.ts';
import { tempFolder } from '../support/temp-folder.ts';

const zbarMissing = spawnSync('zbarimg', ['--version'], { stdio: 'ignore' }).status === 0 ? '' : ' (zbarimg is not installed)';
const hostile = '</pre><script>alert("x")</script> & \'so on\'';
const kit: RecoveryKit = {
  ...{ madeOn: '2026-11-24', host: 'box', settings: { provider: 's3', bucket: 'my-backups' }, recoveryKeys: [] },
  vault: Buffer.alloc(92, 7).toString('base64'),
  tree: 'if 2 > 1:\n\tprint("tree")\n',
  opener: '#!/usr/bin/env python3\nif 1 < 2 and "a" != \'b\':\n\tprint("&amp;")\n',
};

interface Parsed {
  readonly tags: readonly { readonly name: string; readonly attributes: string }[];
  textOf(id: string): string;
}

/** A strict reading of the page: every tag is closed in its turn, every attribute quoted, and text is what a browser would show. */
function parse(page: string): Parsed {
  const tags: { name: string; attributes: string }[] = [];
  const open: string[] = [];
  const texts = new Map<string, string>();
  const ids: (string | null)[] = [];
  const empty = new Set(['meta', 'br', 'rect', 'path', '!doctype']);
  for (const [, tag, text] of page.matchAll(/(<[^>]*>)|([^<]+)/g)) {
    if (tag === undefined) {
      for (const id of ids) if (id !== null) texts.set(id, (texts.get(id) ?? '') + unescaped(text ?? ''));
      continue;
    }
    const [, slash, name = '', attributes = ''] = /^<(\/?)([!a-zA-Z][a-zA-Z0-9]*)([^>]*)>$/.exec(tag) ?? [];
    expect([tag, name]).not.toEqual([tag, '']);
    if (slash === '/') {
      expect(open.pop()).toBe(name);
      ids.pop();
      continue;
    }
    expect(attributes.replace(/ [a-zA-Z-]+="[^"<]*"/g, '')).toMatch(name === '!DOCTYPE' ? /^ html$/ : /^( \/)?$/);
    tags.push({ name: name.toLowerCase(), attributes });
    if (empty.has(name.toLowerCase())) continue;
    open.push(name);
    ids.push(/ id="([^"]*)"/.exec(attributes)?.[1] ?? null);
  }
  expect(open).toEqual([]);
  return { tags, textOf: (id) => texts.get(id) ?? '' };
}

const unescaped = (text: string): string =>
  text.replace(/&#(\d+);|&(?!#)/g, (_, code: string | undefined) => {
    if (code === undefined) throw new Error('an ampersand that is not escaped');
    return String.fromCharCode(Number(code));
  });

describe('the page of a recovery kit', () => {
  test('holds the settings, the steps, the vault as text and as a QR code, and the programs byte for byte', () => {
    const page = parse(kitPage(kit));
    expect(page.textOf('vault').replaceAll('\n', '')).toBe(kit.vault);
    expect([page.textOf('opener'), page.textOf('tree')]).toEqual([kit.opener, kit.tree]);
    expect(page.tags.filter(({ name }) => name === 'svg')).toHaveLength(1);
    expect(page.tags.filter(({ name }) => name === 'li')).toHaveLength(8);
    for (const text of ['my-backups', 'python3 open.py', '2026-11-24', 'box', '@media print']) expect(kitPage(kit)).toContain(text);
  });

  test.skipIf(zbarMissing !== '')(`has a QR code that a reader reads as the vault${zbarMissing}`, () => {
    // As a printer or a screen shows it: its modules, four pixels each, as a portable bitmap.
    const [, size = '', path = ''] = /viewBox="0 0 (\d+) \d+">[^]*?<path d="([^"]+)"/.exec(kitPage(kit)) ?? [];
    const [width, scale] = [Number(size), 4];
    const pixels = Array.from({ length: width * scale }, () => Array.from({ length: width * scale }, () => 0));
    for (const [, x = '', y = '', run = ''] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g))
      for (let down = 0; down < scale; down += 1)
        pixels[Number(y) * scale + down]?.fill(1, Number(x) * scale, (Number(x) + Number(run)) * scale);
    const file = join(tempFolder(), 'code.pbm');
    writeFileSync(file, `P1\n${width * scale} ${width * scale}\n${pixels.map((row) => row.join(' ')).join('\n')}\n`);
    expect(execFileSync('zbarimg', ['--quiet', '--nodbus', '--raw', file], { encoding: 'utf8' }).trim()).toBe(kit.vault);
  });

  test('needs nothing from elsewhere: no script, no address, nothing that is loaded or sent', () => {
    const { tags } = parse(kitPage({ ...kit, recoveryKeys: ['HFRK1-ABC'] }));
    expect(new Set(tags.map(({ name }) => name))).not.toContain('script');
    for (const { name, attributes } of tags) {
      expect([name, /\b(src|href|action|srcset|on[a-z]+|style|data)=/i.test(attributes)]).toEqual([name, false]);
      expect(['link', 'img', 'iframe', 'object', 'embed', 'form', 'base', 'audio', 'video']).not.toContain(name);
    }
    expect(kitPage(kit)).not.toMatch(/https?:|url\(|@import/);
    expect(kitPage(kit)).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  });

  test('recovery keys only when they were asked for, with what they mean', () => {
    expect(parse(kitPage(kit)).textOf('recovery-keys')).toBe('');
    const page = kitPage({ ...kit, recoveryKeys: ['HFRK1-ABC', 'HFRK1-DEF'] });
    expect(parse(page).textOf('recovery-keys')).toBe('HFRK1-ABC\nHFRK1-DEF');
    expect(page).toContain('OPENS EVERYTHING WITHOUT THE PASSWORD');
  });

  test('whatever is put in stays text', () => {
    const evil: RecoveryKit = {
      ...{
        madeOn: hostile,
        host: hostile,
        settings: { [hostile]: hostile },
        vault: kit.vault,
        recoveryKeys: [hostile],
        opener: hostile,
        tree: hostile,
      },
    };
    const page = parse(kitPage(evil));
    expect(page.tags.filter(({ name }) => name === 'script')).toEqual([]);
    expect([page.textOf('opener'), page.textOf('recovery-keys')]).toEqual([hostile, hostile]);
    expect(markup`<p title="${hostile}"></p>`.trusted).not.toMatch(/title="[^"]*"[^>]/);
  });

  test('speaks the language that was chosen throughout, and commands stay as they are', () => {
    const full = { ...kit, recoveryKeys: ['HFRK1-ABC'] };
    const page = kitPage(full, 'de');
    expect(page).toContain('<html lang="de">');
    for (const said of [page, kitText(full, 'de')]) {
      for (const part of ['Mit Holdfast', 'HFRK1-ABC', 'ohne das Passwort nichts wert', 'python3 open.py STAND.holdfast', 'unzip out.zip'])
        expect(said).toContain(part);
    }
    // No sentence of the other language is left in it; what the kit only carries is the same in both.
    const sentences = (words: KitWords): readonly string[] =>
      Object.values(words)
        .flatMap((value: unknown) => (typeof value === 'function' ? [] : [value].flat(2)))
        .map(String)
        .filter((text) => text.includes(' '));
    expect(sentences(kitWords.de).filter((text) => sentences(kitWords.en).includes(text))).toEqual([]);
    const said = page + kitPage(kit, 'de') + kitText(full, 'de') + kitText(kit, 'de');
    expect(sentences(kitWords.en).filter((text) => said.includes(text))).toEqual([]);
  });

  test('says the same as the text', () => {
    const text = kitText(kit);
    for (const part of ['my-backups', 'python3 open.py SNAPSHOT.holdfast', kit.opener, kit.tree, kit.vault.slice(0, 72)])
      expect(text).toContain(part);
  });
});

describe('a QR code', () => {
  test('has its three corners, a quiet zone, and none where the text does not fit', () => {
    const svg = qrCode('A'.repeat(120))?.trusted ?? '';
    const size = Number(/viewBox="0 0 (\d+) /.exec(svg)?.[1]);
    const dark = new Set<string>();
    for (const [, x, y, width] of svg.matchAll(/M(\d+) (\d+)h(\d+)v1h-\3z/g))
      for (let at = Number(x); at < Number(x) + Number(width); at += 1) dark.add(`${at} ${y ?? ''}`);
    // ISO/IEC 18004, 6.3.3: seven modules, a light ring, a dark core of three.
    for (const [left, top] of [
      [4, 4],
      [size - 11, 4],
      [4, size - 11],
    ] as const) {
      const row = (y: number): string => Array.from({ length: 7 }, (_, x) => (dark.has(`${left + x} ${top + y}`) ? '#' : '.')).join('');
      expect([row(0), row(1), row(3)]).toEqual(['#######', '#.....#', '#.###.#']);
    }
    expect([...dark].some((at) => at.split(' ').some((n) => Number(n) < 4 || Number(n) >= size - 4))).toBe(false);
    expect(qrCode('A'.repeat(2331))).not.toBeNull();
    expect(qrCode('A'.repeat(2332))).toBeNull();
  });

  test('a page without one says so', () => {
    expect(kitPage({ ...kit, vault: 'A'.repeat(3000) })).toContain('too long for a QR code');
  });
});
