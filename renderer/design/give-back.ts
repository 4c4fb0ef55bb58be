/**
 * Gives the focus back to what had it before a dialog. Where that is gone, or goes while it has the focus (a card whose server was removed, a view that is
 * left), the focus would fall to the page as a whole, and the keyboard would begin from the top: the view's heading takes it instead.
 */
export function giveBack(before: Element | null): void {
  if (before instanceof HTMLElement && before !== document.body) before.focus();
  // What is gone or hidden has not taken it.
  if (nobodyHasIt()) toHeading();
  else if (document.activeElement === before) whenGone(before as HTMLElement, toHeading);
}

function nobodyHasIt(): boolean {
  return document.activeElement === null || document.activeElement === document.body;
}

/** Until somebody goes elsewhere. A blur does not tell: browsers send one of what is being taken away, too. */
function whenGone(focused: HTMLElement, then: () => void): void {
  const stop = (): void => {
    observer.disconnect();
    document.removeEventListener('focusin', stop);
    document.removeEventListener('pointerdown', stop);
  };
  const observer = new MutationObserver(() => {
    if (focused.isConnected) return;
    stop();
    if (nobodyHasIt()) then();
  });
  observer.observe(document.body, { childList: true, subtree: true });
  document.addEventListener('focusin', stop);
  document.addEventListener('pointerdown', stop);
}

/** Of the dialog that is still open, or else of the view; while a view is loading it has none, and the main region stands in. */
function toHeading(): void {
  const dialog = [...document.querySelectorAll('dialog[open]')].at(-1);
  const heading = (dialog ?? document).querySelector<HTMLElement>(dialog === undefined ? 'main h1' : 'h1');
  const place = heading ?? document.querySelector('main');
  if (place === null) return;
  place.tabIndex = -1;
  place.focus();
}
