import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pageHeaders } from '../../main/compose/service/page-files.ts';

test('the page may run its own scripts alone, none within a document and no text as code, and load nothing from elsewhere', () => {
  const policy = Object.fromEntries(
    pageHeaders['content-security-policy'].split('; ').map((directive) => {
      const [name = '', ...sources] = directive.split(' ');
      return [name, sources.join(' ')];
    }),
  );
  expect(policy).toEqual({
    ...{ 'default-src': "'none'", 'script-src': "'self'", 'style-src': "'self'", 'img-src': "'self' data:", 'font-src': "'self'" },
    ...{ 'connect-src': "'self'", 'base-uri': "'none'", 'form-action': "'none'", 'frame-ancestors': "'none'" },
  });
  const page = readFileSync(join(import.meta.dirname, '../../renderer/index.html'), 'utf8');
  const scripts = [...page.matchAll(/<script\b[^>]*>/g)].map(([tag]) => tag);
  expect(scripts.length).toBeGreaterThan(0);
  expect(scripts.filter((tag) => !/ src="/.test(tag))).toEqual([]);
  expect(page).not.toMatch(/<style|\sstyle=|\son\w+=/);
});
