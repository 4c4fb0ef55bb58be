import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../contract/faults.ts';

/** Port and password of the RCON console that a Minecraft server opens, from `server.properties` in its folder. */
export async function rconInProperties(folder: string): Promise<{ readonly port: number; readonly password: string }> {
  const path = join(folder, 'server.properties');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new Fault('config-invalid', `${path} cannot be read, which says where the RCON console is`, {
      operation: 'read server.properties',
      context: { path, next: 'Give it yourself: --minecraft HOST:PORT' },
      cause: error,
    });
  }
  const value = (name: string): string => valueOf(text, name);
  const password = value('rcon.password');
  if (value('enable-rcon') !== 'true' || password === '') {
    throw new Fault('config-invalid', `the RCON console is not switched on in ${path}`, {
      operation: 'read server.properties',
      context: {
        path,
        next: 'Set enable-rcon=true and an rcon.password there, start the game anew, then try again; or leave --minecraft out.',
      },
    });
  }
  return { port: Number(value('rcon.port')) || 25_575, password };
}

/** What the world of a Minecraft server is called; empty where nothing says so. */
export async function levelName(folder: string): Promise<string> {
  const text = await readFile(join(folder, 'server.properties'), 'utf8').catch(() => '');
  return valueOf(text, 'level-name');
}

function valueOf(text: string, name: string): string {
  return (
    text
      .split(/\r?\n/)
      .map((line) => /^\s*([^#!=:\s]+)\s*[=:]\s*(.*)$/.exec(line))
      .findLast((match) => match?.[1] === name)?.[2]
      ?.trim() ?? ''
  );
}
