export interface Disposable {
  dispose(): void;
}

type Undo = () => void;

/** Collects what has to be undone and undoes it once, last first. */
export class Disposables implements Disposable {
  private undo: Undo[] = [];
  private disposed = false;

  /** Returns its argument; undoes it at once if this was disposed already. */
  add<T extends Disposable | Undo>(entry: T): T {
    const undo = undoOf(entry);
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

function undoOf(entry: Disposable | Undo): Undo {
  return typeof entry === "function" ? entry : () => entry.dispose();
}
