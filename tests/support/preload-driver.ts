/** Runs the preload under Node with stand-ins for Electron (electron-hooks.mjs), as a page would use it, and prints what came of it. */
import '../../preload/index.ts';
import type { Bridge } from '../../main/contract/bridge.ts';
import { exposed, invoked, rendererListeners } from './electron-stub.ts';

const bridge = exposed.get('holdfast') as Bridge;
const answer = await bridge.call('servers.list', { a: 1 });
bridge.cancel('7');
const heard: unknown[][] = [];
const stop = bridge.subscribe((...args) => heard.push(args));
// Electron's own event object, with the sender in it, stays outside the page.
rendererListeners.get('holdfast:event')?.({ sender: 'secret' }, { event: 'server-removed', data: { slug: 'creative' } });
const listening = rendererListeners.size;
stop();
const told = { names: [...exposed.keys()], members: Object.keys(bridge).sort(), answer, invoked, heard, listening };
process.stdout.write(JSON.stringify({ ...told, left: rendererListeners.size }));
