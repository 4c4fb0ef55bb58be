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
    .map(decoded);
}

/** What no link of ours leads to may be typed all the same: it is no reason to show nothing. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (error instanceof URIError) return part;
    throw error;
  }
}

export function linkTo(...parts: readonly string[]): string {
  return `#/${parts.map(encodeURIComponent).join('/')}`;
}

export function go(...parts: readonly string[]): void {
  window.location.hash = linkTo(...parts);
}

export const route = new Route();
