import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startB2Server, type B2Server } from '../../clouds/backblaze-b2/server.ts';
import { ServiceHome } from '../../service-process.ts';
import { titleOn, type Face, type Running } from '../face.ts';
import { chooseFolder, chooseProvider } from '../flow-steps.ts';
import type { Visitor } from '../visitor.ts';

/** The test of a place that takes its time: each check is told when it ends, and the whole can be given up. */
export function connectionFlows(face: Face): void {
  describe.skipIf(face.missing !== '')(titleOn(face, 'the test of a slow place'), () => {
    const home = new ServiceHome();
    let b2: B2Server;
    let running: Running;
    let visitor: Visitor;

    beforeAll(async () => {
      writeFileSync(join(home.folder, 'level.dat'), 'blocks');
      const folder = join(home.base, 'b2');
      mkdirSync(folder);
      b2 = await startB2Server({ folder });
      b2.addBucket('my-backups');
      await home.json(['keychain', 'use', 'machine-key', '--yes']);
      await face.begin();
      running = await face.start(home, { HOLDFAST_B2_ENDPOINT: b2.endpoint });
      visitor = await running.visit('new-server');
      await chooseFolder(visitor, home.folder);
      await chooseProvider(visitor, 'backblaze-b2');
      const { keyId, applicationKey } = b2.addKey({ buckets: ['my-backups'] });
      await visitor.field('place.bucket').fill('my-backups');
      await visitor.field('place.b2.keyId').fill(keyId);
      await visitor.field('place.b2.applicationKey').fill(applicationKey);
    });
    afterAll(async () => {
      await face.end();
      await running.stop();
      await b2.close();
    });

    /** How the rows stand, by the hidden word that each begins with. */
    const rows = (): Promise<readonly string[]> =>
      visitor.page
        .getByRole('listitem')
        .filter({ hasText: /(Passed|Failed|Skipped|Waiting|Under way): / })
        .allTextContents()
        .then((all) => all.map((text) => text.trim().replaceAll(/\s+/g, ' ')));

    /** The server answers no call of this name until it is let. */
    function holdAt(held: string): () => void {
      const gate = Promise.withResolvers<void>();
      b2.hold = (call) => (call === held ? gate.promise : Promise.resolve());
      return () => {
        b2.hold = () => Promise.resolve();
        gate.resolve();
      };
    }

    test('a row turns as its check ends, while the next is under way and the others wait', async () => {
      const { button, text, page } = visitor;
      const letGo = holdAt('b2_list_file_names');
      await button('test.do').click();
      await page.getByRole('listitem').filter({ hasText: 'Under way: Listing what is there' }).waitFor();
      expect(await rows()).toEqual([
        ...['Passed: The place answers', 'Passed: Writing', 'Passed: Reading back the same bytes', 'Passed: Reading a part'],
        'Under way: Listing what is there',
        ...['Waiting: Replacing a file', 'Waiting: Two computers at once', 'Waiting: Checksums agree', 'Waiting: The clocks agree'],
        ...['Waiting: Deleting', 'Waiting: Unfinished uploads'],
      ]);
      letGo();
      await text('test.sum', { count: 0 }).waitFor();
      expect((await rows()).every((row) => row.startsWith('Passed: '))).toBe(true);
    });

    test('a test that is given up ends, keeps what the one before found, and can be made again', async () => {
      const { button, text, page } = visitor;
      const letGo = holdAt('b2_list_file_names');
      await button('test.again').click();
      await page.getByRole('listitem').filter({ hasText: 'Under way: Listing what is there' }).waitFor();
      await page
        .getByRole('region', { name: visitor.say('test.title') })
        .getByRole('button', { name: visitor.say('do.cancel') })
        .click();
      await button('test.again').waitFor();
      await text('test.sum', { count: 0 }).waitFor();
      letGo();
      // Changed and tried again: the rows go with it, though what was found before is old.
      await visitor.field('place.b2.applicationKey').fill('not the right one');
      await text('test.old').waitFor();
      const held = holdAt('b2_authorize_account');
      await button('test.again').click();
      await page.getByRole('listitem').filter({ hasText: 'Under way: Writing' }).waitFor();
      held();
      await text('test.sum', { count: 1 }).waitFor();
      expect((await rows()).filter((row) => row.startsWith('Failed: '))).toHaveLength(1);
      expect(visitor.complaints).toEqual([]);
    });
  });
}
