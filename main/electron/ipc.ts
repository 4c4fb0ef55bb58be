import { cancellableCalls } from '../compose/cancellable-calls.ts';
import type { Reply } from '../contract/answer.ts';
import { channels } from '../contract/bridge.ts';
import type { CallHandlers } from '../contract/calls.ts';
import { Fault } from '../contract/faults.ts';
import type { CallEvent, IpcPort } from './ports.ts';
import { pageOrigin } from './protocol.ts';

/** Answers the page, and nobody else: the top frame of our window, while it shows our page. Names, requests and replies are held to the contract. */
export function serveCalls(ipc: IpcPort, windowId: () => number | null, handlers: () => Promise<CallHandlers>, signal: AbortSignal): void {
  const desk = cancellableCalls(handlers, signal);
  ipc.handle(channels.call, async (event, name, request, ticket): Promise<Reply> => {
    if (!isOurPage(event, windowId())) {
      return { ok: false, fault: new Fault('permission-denied', 'only the page of the app may ask', { operation: 'call' }).toWire() };
    }
    return await desk.answer(String(name), request, ticket);
  });
  ipc.handle(channels.cancel, async (event, ticket) => (isOurPage(event, windowId()) ? desk.cancel(ticket) : undefined));
}

function isOurPage({ sender, senderFrame }: CallEvent, id: number | null): boolean {
  return sender.id === id && senderFrame !== null && senderFrame.parent === null && senderFrame.origin === pageOrigin;
}
