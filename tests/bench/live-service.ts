import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { signInLink } from '../../main/compose/service/http-client.ts';
import type { ManifestArchive } from '../../main/engine/snapshots/manifest.ts';
import { madeId, makePlace, writeArchive, writeMadeManifest, type MadeFile } from './made-snapshots.ts';
import { cache, password, root } from './run-command.ts';

export interface LiveService {
  readonly port: number;
  /** Signs a browser in, once. */
  link(): Promise<string>;
  stop(): Promise<void>;
}

const hour = 3_600_000;
const shared = 30;

/** A service as people run it, with one server, `nights`, whose place, `nas`, holds that many snapshots, each of which shares archives with the ones before. */
export async function startLiveService(snapshots: number): Promise<LiveService> {
  const base = join(cache, 'work', 'live');
  // Of a bench that was ended half-way.
  rmSync(base, { recursive: true, force: true });
  const folder = join(base, 'srv');
  mkdirSync(folder, { recursive: true });
  const place = await makePlace(join(base, 'place'));
  const archives: ManifestArchive[] = [];
  for (let night = 0; night < snapshots; night += 1) {
    const time = Date.now() - (snapshots - night) * hour;
    const id = madeId(time);
    archives.push(writeArchive(place, `nights/${id}.holdfast`, 5_000_000));
    const named = archives.slice(-shared);
    const files = Array.from({ length: 200 }, (_, index): MadeFile => {
      const path = `file-${String(index).padStart(5, '0')}.dat`;
      return { path, size: 2000, extents: [[index % named.length, (index % 90) * 50_000, 50_000, 0, 2000]] };
    });
    await writeMadeManifest(place, { id, slug: 'nights', time }, named, files);
  }
  const program = join(root, 'bin', 'holdfast.js');
  const state = join(base, 'state');
  const env = { ...process.env, HOLDFAST_CONFIG_DIR: join(base, 'config'), HOLDFAST_STATE_DIR: state, HOLDFAST_PASSWORD: password };
  const holdfast = (...args: string[]): void => {
    const { status, stderr } = spawnSync(process.execPath, [program, ...args], { env, encoding: 'utf8' });
    if (status !== 0) throw new Error(`holdfast ${args.join(' ')}: ${stderr}`);
  };
  holdfast('keychain', 'use', 'machine-key', '--yes');
  holdfast('destination', 'add', 'nas', `folder:${place.folder}`, '--no-test');
  holdfast('server', 'add', 'nights', folder, '--to', 'nas', '--keep-last', String(snapshots));
  const child = spawn(process.execPath, [program, 'service'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((settle) => child.once('close', () => settle()));
  const port = await new Promise<number>((settle, reject) => {
    let text = '';
    child.stderr.on('data', (piece: Buffer) => {
      text += piece.toString('utf8');
      const match = /listens on 127\.0\.0\.1:(\d+)/.exec(text);
      if (match !== null) settle(Number(match[1]));
    });
    void ended.then(() => reject(new Error(`the service ended: ${text}`)));
  });
  const own = readdirSync(state).find((entry) => entry.startsWith('service-')) ?? '';
  const token = readFileSync(join(state, own, 'token'), 'utf8').trim();
  return {
    port,
    link: () => signInLink({ port, token }),
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(base, { recursive: true, force: true });
    },
  };
}
