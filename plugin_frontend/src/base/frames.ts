// One animation frame for the whole page: first work (computing), then draw (canvases), then dom
// (reading and writing layout), so that no phase undoes what another has just done.

export type Task = () => void;
type Phase = "work" | "draw" | "dom";

const order: readonly Phase[] = ["work", "draw", "dom"];

export class FrameScheduler {
  private readonly waiting: Record<Phase, Set<Task>> = {
    work: new Set(),
    draw: new Set(),
    dom: new Set(),
  };
  private requested = false;
  private readonly request: (run: () => void) => void;

  constructor(request: (run: () => void) => void = (run) => void requestAnimationFrame(run)) {
    this.request = request;
  }

  /** A task asked for twice before the frame runs once. */
  work(task: Task): void {
    this.enqueue("work", task);
  }

  draw(task: Task): void {
    this.enqueue("draw", task);
  }

  dom(task: Task): void {
    this.enqueue("dom", task);
  }

  cancel(task: Task): void {
    for (const phase of order) this.waiting[phase].delete(task);
  }

  private enqueue(phase: Phase, task: Task): void {
    this.waiting[phase].add(task);
    if (this.requested) return;
    this.requested = true;
    this.request(() => this.run());
  }

  private run(): void {
    this.requested = false;
    for (const phase of order) {
      const tasks = this.waiting[phase];
      // A phase sees what earlier phases asked of it; what it asks of itself waits for the next frame.
      this.waiting[phase] = new Set();
      for (const task of tasks) runSafely(task);
    }
  }
}

/** One failing task must not keep the others from being drawn. */
function runSafely(task: Task): void {
  try {
    task();
  } catch (error) {
    reportError(error);
  }
}

export const frames = new FrameScheduler();
