/** Where the local HTTP is entered. Apart from the shapes (door.ts), as the page has no use for their library. */
export const doorPaths = { link: '/api/link', signIn: '/api/sign-in' } as const;
/** Where the page is opened with `?code=` of a link. */
export const signInPath = '/sign-in';
/** The header that the half of a session goes in. */
export const halfHeader = 'x-holdfast-half';
