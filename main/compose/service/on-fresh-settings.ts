import type { CallHandlers } from '../../contract/calls.ts';
import type { LiveSettings } from '../../engine/service/settings-ports.ts';

/**
 * Each call goes by what the settings file says when it is made: a command that has just written it, or an editor, need not wait for the next look of
 * the watch. It costs one look at the file's times.
 */
export function onFreshSettings(settings: Pick<LiveSettings, 'refresh'>, handlers: CallHandlers): CallHandlers {
  const fresh = Object.entries(handlers).map(([name, handler]) => {
    // One name with its own request: what the type cannot say for a union of names.
    const answer = handler as (request: unknown, signal: AbortSignal) => Promise<unknown>;
    const answered = async (request: unknown, signal: AbortSignal): Promise<unknown> => {
      await settings.refresh();
      return await answer(request, signal);
    };
    return [name, answered] as const;
  });
  return Object.fromEntries(fresh) as CallHandlers;
}
