// Which rows of a large picture are still to be drawn: those in sight first, and no more in one frame than its
// time allows, so that the page answers while the rest comes.

/** Of one frame; what is left goes to the next. */
const FRAME_MS = 8;

export interface Sight {
  readonly top: number;
  readonly bottom: number;
}

export class RowQueue {
  private rows: number[] = [];

  constructor(private readonly now: () => number = () => performance.now()) {}

  get done(): boolean {
    return this.rows.length === 0;
  }

  /** From now on rows 0 to `count` - 1 are to be drawn. */
  fill(count: number): void {
    this.rows = Array.from({ length: count }, (_, row) => row);
  }

  /** Draws at least one row, and more while there is time. */
  draw(row: (place: number) => void, box: (place: number) => Sight, sight: Sight, allowed = FRAME_MS): void {
    const end = this.now() + allowed;
    const seen = (place: number): boolean => box(place).bottom > sight.top && box(place).top < sight.bottom;
    const [near, far] = [this.rows.filter(seen), this.rows.filter((place) => !seen(place))];
    this.rows = [...near, ...far];
    for (let next = this.rows.shift(); next !== undefined; next = this.rows.shift()) {
      row(next);
      if (this.now() >= end) return;
    }
  }
}
