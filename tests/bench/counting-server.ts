/**
 * `counting-server.ts PORT`: a server in front of the one at PORT of this computer, in a process of its own, that passes everything on and counts the
 * requests. Prints the port to use instead; for each line on its standard input the number of requests since the last one. Ends with its input.
 */
import { createInterface } from 'node:readline';
import { startFaultProxy } from '../support/clouds/fault-proxy.ts';

const [port = 0] = process.argv.slice(2).map(Number);
const proxy = await startFaultProxy<never>(port, () => null, {});
process.stdout.write(`${String(proxy.port)}\n`);
let told = 0;
for await (const line of createInterface({ input: process.stdin })) {
  if (line === '') continue;
  process.stdout.write(`${String(proxy.seen.length - told)}\n`);
  told = proxy.seen.length;
}
process.exit(0);
