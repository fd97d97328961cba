// Windows for the tests: what the page uses of its own and of TensorBoard's.

interface Entry {
  readonly hash: string;
}

/** A window with a history, alone or in the frame of another. */
export class FakeWindow extends EventTarget {
  readonly location = { hash: "", pathname: "/", search: "", href: "http://host/" };
  readonly entries: Entry[] = [{ hash: "" }];
  place = 0;
  readonly document: EventTarget & { body: FakeElement };
  readonly parent: FakeWindow;
  frameElement: { isConnected: boolean; getClientRects: () => unknown[] } | null = null;
  readonly preference = Object.assign(new EventTarget(), { matches: false });
  readonly history = {
    state: null,
    pushState: (_state: unknown, _title: string, url: string): void => {
      this.entries.splice(this.place + 1);
      this.entries.push({ hash: this.hashOf(url) });
      this.place += 1;
      this.location.hash = this.hashOf(url);
    },
    replaceState: (_state: unknown, _title: string, url: string): void => {
      this.entries[this.place] = { hash: this.hashOf(url) };
      this.location.hash = this.hashOf(url);
    },
  };

  constructor(parent?: FakeWindow) {
    super();
    this.parent = parent ?? this;
    this.document = Object.assign(new EventTarget(), { body: new FakeElement() });
    if (parent !== undefined) this.frameElement = { isConnected: true, getClientRects: () => [{}] };
  }

  matchMedia(): EventTarget & { matches: boolean } {
    return this.preference;
  }

  /** As the browser's back and forward buttons. */
  go(by: number): void {
    this.place += by;
    this.location.hash = this.entries[this.place]?.hash ?? "";
    this.dispatchEvent(new Event("hashchange"));
  }

  private hashOf(url: string): string {
    return url.includes("#") ? url.slice(url.indexOf("#")) : "";
  }

  get asWindow(): Window {
    return this as unknown as Window;
  }
}

/** An element that is found by the selectors it is said to match. */
export class FakeElement extends EventTarget {
  readonly classes = new Set<string>();
  readonly classList = { contains: (name: string): boolean => this.classes.has(name) };

  constructor(private readonly matches: readonly string[] = []) {
    super();
  }

  closest(selectors: string): FakeElement | null {
    return selectors.split(",").some((selector) => this.matches.includes(selector.trim())) ? this : null;
  }
}

/** A key as the browser sends it, from an element. */
export function keyEvent(key: string, target: EventTarget, more: Partial<KeyboardEventInit> = {}): Event {
  const event = Object.assign(new Event("keydown", { cancelable: true }), { key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });
  Object.defineProperty(event, "target", { value: target });
  return event;
}
