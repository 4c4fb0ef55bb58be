import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pageFile } from '../../main/compose/service/page-files.ts';

test.each(['backblaze-b2', 'dropbox', 'google-drive', 's3'])(
  'the guide to %s is served as text, as it lies in the project',
  async (name) => {
    const file = await pageFile(`/setup/${name}.md`);
    expect(file?.type).toBe('text/plain; charset=utf-8');
    expect(Buffer.from(file?.content ?? [])).toEqual(readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'setup', `${name}.md`)));
  },
);

test.each(['/setup/none.md', '/setup/../app.md', '/setup/..%2fapp.md', '/app.md', '/setup/a/b.md', '/setup/.md', '/assets/setup/s3.md'])(
  'nothing else of the project is: %s',
  async (path) => {
    expect(await pageFile(path)).toBeNull();
  },
);
