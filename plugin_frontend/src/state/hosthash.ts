// The URL hash that a reader would copy: TensorBoard's when the page runs inside it, else our own.

/** The window whose address bar shows the link. Same origin inside TensorBoard; anything else throws. */
export function hashWindow(own: Window): Window {
  try {
    const host = own.parent;
    // Reading throws when the host is of another origin (a notebook, say): then our own has to do.
    return typeof host.location.hash === "string" ? host : own;
  } catch {
    return own;
  }
}

export function readHash(own: Window): string {
  return hashWindow(own).location.hash;
}

function writeHash(own: Window, hash: string, how: "pushState" | "replaceState"): void {
  const host = hashWindow(own);
  if (host.location.hash === hash) return;
  const { pathname, search } = host.location;
  try {
    host.history[how](host.history.state, "", `${pathname}${search}${hash}`);
  } catch {
    // Browsers refuse more than about 100 changes in 30 s; the next change writes it.
  }
}

/** Replaces the hash without a new history entry and without waking the host's router. */
export function replaceHash(own: Window, hash: string): void {
  writeHash(own, hash, "replaceState");
}

/** Writes the hash as a new history entry: the browser's back button leads to the one before. */
export function pushHash(own: Window, hash: string): void {
  writeHash(own, hash, "pushState");
}

export function currentLink(own: Window): string {
  return hashWindow(own).location.href;
}
