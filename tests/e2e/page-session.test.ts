import { createServer, type Server } from 'node:http';
import { pathToFileURL } from 'node:url';
import type { BrowserContext } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeLinkPage } from '../../main/adapters/oauth/link-page.ts';
import { closed, listening } from '../support/clouds/serve.ts';
import { browserMissing, openPage } from '../support/page/browser.ts';
import { openStage } from '../support/page/stage.ts';
import { tempFolder } from '../support/temp-folder.ts';

describe.skipIf(browserMissing !== '')(`a browser’s session${browserMissing === '' ? '' : ` (${browserMissing})`}`, () => {
  const stage = openStage();
  const home = (): string => `http://127.0.0.1:${stage.service.http.port}/`;

  async function signedIn(): Promise<Awaited<ReturnType<typeof openPage>> & { readonly context: BrowserContext }> {
    const watched = await openPage(stage.browser);
    await watched.page.goto(stage.service.link());
    await watched.page.getByRole('heading', { name: 'Survival' }).waitFor();
    return { ...watched, context: watched.page.context() };
  }

  test('begins with a link, outlives loading anew, and serves several tabs, which all hear what happens', async () => {
    const { page, context, complaints } = await signedIn();
    // The code is good no more, and is not left to be loaded again.
    expect(page.url()).toBe(home());
    await page.reload();
    await page.getByRole('heading', { name: 'Survival' }).waitFor();
    const second = await context.newPage();
    await second.goto(home());
    await second.getByRole('heading', { name: 'Survival' }).waitFor();
    stage.service.emit({ event: 'server-removed', data: { slug: 'survival' } });
    for (const tab of [page, second]) await tab.getByRole('heading', { name: 'Survival' }).waitFor({ state: 'detached' });
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('begins with the file that leads to the link, and outlives loading anew', async () => {
    const { page, complaints } = await openPage(stage.browser);
    await page.goto(pathToFileURL(await writeLinkPage(tempFolder(), stage.service.link())).href);
    await page.getByRole('heading', { name: 'Survival' }).waitFor();
    expect(page.url()).toBe(home());
    await page.reload();
    await page.getByRole('heading', { name: 'Survival' }).waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('a page without one says how to get one, and goes on once another tab has signed in', async () => {
    const { page } = await openPage(stage.browser);
    await page.goto(home());
    await page.getByRole('heading', { name: 'This page is signed out.' }).waitFor();
    expect(await page.getByText('holdfast open-page').isVisible()).toBe(true);
    const other = await page.context().newPage();
    await other.goto(stage.service.link());
    await page.getByRole('heading', { name: 'Survival' }).waitFor();
    await page.context().close();
  });

  test('a link that was used says so', async () => {
    const link = stage.service.link();
    const { page } = await openPage(stage.browser);
    await page.goto(link);
    await page.getByRole('heading', { name: 'Survival' }).waitFor();
    const { page: late } = await openPage(stage.browser);
    await late.goto(link);
    await late.getByRole('heading', { name: 'This link was used already, or is too old.' }).waitFor();
    await late.context().close();
    // Where somebody is signed in already, it does no harm.
    await page.goto(link);
    await page.getByRole('heading', { name: 'Survival' }).waitFor();
    await page.context().close();
  });

  describe('a program at another port of this computer', () => {
    let impostor: Server;
    let port = 0;
    const cookies: string[] = [];
    beforeAll(async () => {
      impostor = createServer((request, response) => {
        cookies.push(request.headers.cookie ?? '');
        response.setHeader('content-type', 'text/html').end('<title>A game’s map</title>');
      });
      port = await listening(impostor);
    });
    afterAll(() => closed(impostor));

    test('gets the cookie and nothing that makes it worth something', async () => {
      const { page, context } = await signedIn();
      const trap = await context.newPage();
      await trap.goto(`http://127.0.0.1:${port}/`);
      await trap.evaluate(() => fetch('/api/map'));
      const stolen = cookies.at(-1) ?? '';
      expect([cookies[0], stolen.startsWith(`holdfast_session_${stage.service.http.port}=`)]).toEqual(['', true]);
      expect(await trap.evaluate('localStorage.length')).toBe(0);

      const ask = async (headers: Record<string, string>): Promise<number> =>
        (
          await fetch(`${home()}api/call/servers.list`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', ...headers },
            body: '{}',
          })
        ).status;
      const half = await page.evaluate<string>("localStorage.getItem('holdfast.half')");
      expect([await ask({ cookie: stolen }), await ask({ 'x-holdfast-half': half })]).toEqual([401, 401]);
      expect(await ask({ cookie: stolen, 'x-holdfast-half': half })).toBe(200);
      // Its page cannot ask in the person’s name either.
      const asked = await trap.evaluate<string>(
        `fetch('${home()}api/call/servers.list', { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{}' }).then((reply) => reply.type, String)`,
      );
      expect(asked).not.toBe('basic');
      await context.close();
    });
  });
});
