interface Entry<V> {
  readonly value: V;
  readonly bytes: number;
}

/** Keeps what was used last, up to a budget in bytes; tells `evicted` what it lets go. */
export class ByteLru<V> {
  private readonly entries = new Map<string, Entry<V>>();
  private used = 0;
  private readonly budget: number;
  private readonly evicted: (value: V) => void;

  constructor(budgetBytes: number, evicted: (value: V) => void = () => undefined) {
    this.budget = budgetBytes;
    this.evicted = evicted;
  }

  get bytes(): number {
    return this.used;
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: string): V | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    this.entries.delete(key);
    this.entries.set(key, entry);
    return entry.value;
  }

  /** The newest entry stays even if it alone is over the budget: it is being looked at. */
  set(key: string, value: V, bytes: number): void {
    this.delete(key);
    this.entries.set(key, { value, bytes });
    this.used += bytes;
    for (const oldest of this.entries.keys()) {
      if (this.used <= this.budget || oldest === key) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    this.used -= entry.bytes;
    this.evicted(entry.value);
  }

  clear(): void {
    for (const key of [...this.entries.keys()]) this.delete(key);
  }
}
