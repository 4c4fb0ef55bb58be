import { calls, type Call, type CallHandlers } from '../contract/calls.ts';

/** Handlers that pass every call on to a service elsewhere. */
export function handlersOn(call: Call): CallHandlers {
  const names = Object.keys(calls) as (keyof CallHandlers)[];
  const one = (name: keyof CallHandlers) => (request: never, signal: AbortSignal) => call(name, request, signal);
  return Object.fromEntries(names.map((name) => [name, one(name)])) as CallHandlers;
}
