export interface Disposable {
  dispose(): void;
}

/** Collects what has to be undone and undoes it once, last first. */
export class Disposables implements Disposable {
  private undo: (() => void)[] = [];
  private disposed = false;

  /** Returns its argument; undoes it at once if this was disposed already. */
  add<T extends Disposable | (() => void)>(entry: T): T {
    const undo = "dispose" in entry ? () => entry.dispose() : (entry as () => void);
    if (this.disposed) undo();
    else this.undo.push(undo);
    return entry;
  }

  listen(
    target: EventTarget,
    type: string,
    handler: (event: Event) => void,
    options?: AddEventListenerOptions,
  ): void {
    target.addEventListener(type, handler, options);
    this.add(() => target.removeEventListener(type, handler, options));
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const undo of this.undo.reverse()) undo();
    this.undo = [];
  }
}
