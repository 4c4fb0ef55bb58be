import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Null: the system does not tell. */
export interface PowerState {
  readonly onBattery: boolean | null;
  /** Whether each byte of the line costs. */
  readonly onMetered: boolean | null;
}

export interface PowerOptions {
  /** Where Linux shows its power supplies. */
  readonly supplies?: string;
  /** The answer of `busctl` with these arguments; throws where there is none. */
  readonly busctl?: (args: readonly string[]) => Promise<string>;
}

const run = promisify(execFile);
const networkManager = 'org.freedesktop.NetworkManager';

/** What Linux tells: the kernel of its power (Documentation/ABI/testing/sysfs-class-power), NetworkManager of its line. */
export async function powerState(options: PowerOptions = {}): Promise<PowerState> {
  const { supplies = '/sys/class/power_supply', busctl = askBus } = options;
  return { onBattery: await onBattery(supplies), onMetered: await onMetered(busctl) };
}

/** No mains that is on, and a battery of the computer itself (not of its mouse) that gives. */
async function onBattery(folder: string): Promise<boolean | null> {
  const names = await readdir(folder).catch(() => []);
  let [mains, discharging] = [false, false];
  for (const name of names) {
    const read = async (file: string): Promise<string> => (await readFile(join(folder, name, file), 'latin1').catch(() => '')).trim();
    const type = await read('type');
    if (type === 'Mains' || type === 'USB') mains ||= (await read('online')) === '1';
    if (type === 'Battery' && (await read('scope')) !== 'Device') discharging ||= (await read('status')) === 'Discharging';
  }
  return names.length === 0 ? null : discharging && !mains;
}

/** NMMetered: 1 yes, 2 no, 3 guessed yes, 4 guessed no, 0 unknown. */
async function onMetered(busctl: (args: readonly string[]) => Promise<string>): Promise<boolean | null> {
  try {
    const answer = await busctl(['--system', 'get-property', networkManager, '/org/freedesktop/NetworkManager', networkManager, 'Metered']);
    const value = Number(/^u (\d)/.exec(answer)?.[1] ?? 0);
    return value === 0 ? null : value === 1 || value === 3;
  } catch {
    // No D-Bus, no NetworkManager: nobody tells.
    return null;
  }
}

async function askBus(args: readonly string[]): Promise<string> {
  return (await run('busctl', [...args], { timeout: 5_000 })).stdout;
}
