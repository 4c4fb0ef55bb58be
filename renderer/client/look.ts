import type { ChosenLook } from '../../main/contract/setup-calls.ts';
import { call } from './call.ts';
import './bridge.ts';

/** Tray and notices of the app are to look and speak as the page does. Around a page in a browser there is nothing to tell. */
export function tellHost(chosen: ChosenLook): void {
  if (window.holdfast === undefined || Object.keys(chosen).length === 0) return;
  // The page itself is as it was chosen to be, whatever becomes of this.
  call('host.look', chosen).catch((error: unknown) => window.reportError(error));
}
