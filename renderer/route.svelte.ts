/** Where the page stands: the parts of the address behind `#/`. */
class Route {
  parts = $state.raw<readonly string[]>(read());

  /** Follows the address; returns how to stop. */
  start(): () => void {
    const changed = (): void => {
      this.parts = read();
      window.scrollTo(0, 0);
    };
    window.addEventListener('hashchange', changed);
    // It may have changed before anybody followed it: signing in comes first.
    this.parts = read();
    return () => window.removeEventListener('hashchange', changed);
  }
}

function read(): readonly string[] {
  return window.location.hash
    .replace(/^#\/?/, '')
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
}

export function linkTo(...parts: readonly string[]): string {
  return `#/${parts.map(encodeURIComponent).join('/')}`;
}

export function go(...parts: readonly string[]): void {
  window.location.hash = linkTo(...parts);
}

export const route = new Route();
