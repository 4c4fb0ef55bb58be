import { spawn } from 'node:child_process';

const openers: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  linux: ['xdg-open'],
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** Asks the system to show an address, without a shell. False where that cannot be: whoever asked shows the address instead. */
export async function openBrowser(address: string, platform: NodeJS.Platform = process.platform): Promise<boolean> {
  const url = URL.parse(address);
  const isWeb = url?.protocol === 'https:' || (url?.protocol === 'http:' && url.hostname === '127.0.0.1');
  const [program, ...args] = openers[platform] ?? [];
  if (!isWeb || program === undefined) return false;
  return await new Promise((settle) => {
    const child = spawn(program, [...args, address], { stdio: 'ignore', detached: true });
    child.once('error', () => settle(false));
    child.once('spawn', () => {
      child.unref();
      settle(true);
    });
  });
}
