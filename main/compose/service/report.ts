import { readdir, readFile, statfs } from 'node:fs/promises';
import { arch, cpus, release, totalmem, type as systemType } from 'node:os';
import { join } from 'node:path';
import type { Redactor } from '../../adapters/logs/redactor.ts';
import { asFault } from '../../contract/faults.ts';
import type { Settings } from '../../contract/settings.ts';
import { allSecrets } from '../../engine/service/kept-secrets.ts';
import type { Host } from '../host.ts';
import { opensByItself } from '../kept-password.ts';
import type { Connection } from './connect.ts';
import type { ServicePlaces } from './places.ts';

export interface ReportParts {
  readonly host: Host;
  readonly places: ServicePlaces;
  readonly redactor: Redactor;
  /** Null where neither a service nor the settings can be reached: the report then says why. */
  readonly service: Pick<Connection, 'call' | 'isService'> | null;
  readonly problem: string;
}

const mostLogLines = 2_000;

/** What somebody who helps needs to see, as one text that can be read before it is given away. It all went through the redactor. */
export async function supportReport(parts: ReportParts): Promise<string> {
  const { host, places, redactor, service, problem } = parts;
  const settings = await settingsOf(host);
  await registerSecrets(host, settings !== null, (secret) => redactor.register(secret));
  const sections: (readonly [title: string, content: unknown])[] = [
    ['Holdfast', { version: host.version, node: process.version, serviceRuns: service?.isService ?? false, problem }],
    ['Computer', await computer(places.stateDir)],
    ['Settings', settings],
  ];
  if (service !== null) {
    for (const name of ['service.info', 'servers.list', 'destinations.list', 'notices.list'] as const) {
      sections.push([name, await service.call(name, {}).catch(explained)]);
    }
    sections.push(['jobs.list', await service.call('jobs.list', { limit: 200 }).catch(explained)]);
  }
  const texts = sections.map(([title, content]) => `## ${title}\n\n${JSON.stringify(redactor.value(untold(content)), null, 2)}\n`);
  const log = await logLines(join(places.folder, 'log'));
  return `${texts.join('\n')}\n## Log\n\n${redactor.text(log.join('\n'))}\n`;
}

const hidden = '[hidden]';

/** Without what people may have written secrets into that nobody knows as such: arguments of programs and of console commands, and topics, which whoever knows them reads. */
function untold(content: unknown, name = ''): unknown {
  if (name === 'topic') return hidden;
  if (name === 'command' && typeof content === 'string') return content.replace(/\s.*$/su, ` ${hidden}`);
  if (name === 'argv' && Array.isArray(content)) return content.map((one: unknown, index) => (index === 0 ? one : hidden));
  if (Array.isArray(content)) return content.map((one: unknown) => untold(one));
  if (typeof content !== 'object' || content === null) return content;
  return Object.fromEntries(Object.entries(content).map(([key, one]) => [key, untold(one, key)]));
}

async function settingsOf(host: Host): Promise<Settings | null> {
  try {
    return await (await host.openSettings()).read();
  } catch {
    // What is wrong with them is told as the problem.
    return null;
  }
}

/** Texts went through the service's own redactor when they were written; this is for what came from elsewhere. Nobody is asked for a passphrase. */
async function registerSecrets(host: Host, hasSettings: boolean, register: (secret: string) => void): Promise<void> {
  for (const [name, value] of Object.entries(host.env)) {
    if (value !== undefined && /^(HOLDFAST_|AWS_|B2_).*(PASS|SECRET|TOKEN|KEY)/.test(name) && !name.endsWith('_FILE')) register(value);
  }
  if (!hasSettings || !(await opensByItself(host))) return;
  for (const secret of Object.values(await allSecrets(await host.openKeychain()))) register(secret);
}

function explained(error: unknown): unknown {
  const { code, message } = asFault(error, 'report');
  return { code, message };
}

async function computer(stateDir: string): Promise<unknown> {
  const disk = await statfs(stateDir);
  const gib = (bytes: number): number => Math.round(bytes / 2 ** 27) / 8;
  return {
    system: `${systemType()} ${release()} ${arch()}`,
    processors: cpus().length,
    memoryGiB: gib(totalmem()),
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    stateDisk: { freeGiB: gib(disk.bavail * disk.bsize), ofGiB: gib(disk.blocks * disk.bsize) },
  };
}

/** The newest lines, the oldest of them first. */
async function logLines(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const age = (name: string): number => Number(/\.log\.(\d+)$/.exec(name)?.[1] ?? 0);
  const texts = await Promise.all(
    names
      .filter((name) => /^holdfast\.log(\.\d+)?$/.test(name))
      .sort((a, b) => age(b) - age(a))
      .map((name) => readFile(join(folder, name), 'utf8')),
  );
  return texts.join('').trimEnd().split('\n').slice(-mostLogLines);
}
