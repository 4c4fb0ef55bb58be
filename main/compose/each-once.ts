import type { Notice } from '../contract/notices.ts';

/** Far more than are under way at once. */
const mostRemembered = 100;

/**
 * Shows each notice once. A service in this process tells of one as an event, and again where the desktop is among the notices' targets: perhaps after
 * others, and once more where that was tried again.
 */
export function eachOnce(show: (notice: Notice) => void): (notice: Notice) => void {
  const shown: string[] = [];
  return (notice) => {
    const { kind, server, title, text, at } = notice;
    // Of one moment there may be two of a kind: a place that could not be cleaned up, and a game that was not told to go on.
    const name = JSON.stringify([kind, server, title, text, at]);
    if (shown.includes(name)) return;
    shown.push(name);
    if (shown.length > mostRemembered) shown.shift();
    show(notice);
  };
}
