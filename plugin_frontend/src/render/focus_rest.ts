// While a large map moves it is drawn from its pyramid; once it rests, to the pixel. What that takes is worked out
// in idle slices, so that a frame is on time when it moves again.
import type { Disposable } from "../base/disposables";
import { whileIdle } from "../base/idle";

/** So long after its last move it rests. */
const restMs = 150;

export class Rest implements Disposable {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private stop = (): void => undefined;
  private on = false;

  /** Since its last move it has not come to rest. */
  get moving(): boolean {
    return this.on;
  }

  /** It moves. Once it rests, `begin` returns what does a little of the work and says whether there is more. */
  moved(begin: () => () => boolean, done: () => void): void {
    this.dispose();
    this.on = true;
    this.timer = setTimeout(() => {
      const goOn = begin();
      this.stop = whileIdle(() => {
        if (goOn()) return true;
        this.on = false;
        done();
        return false;
      });
    }, restMs);
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.stop();
  }
}
