// Draws the thumbnails of a scene. Two of them: WebGL2, and Canvas2D where that is missing.
import type { Disposable } from "../base/disposables";
import type { GridScene } from "./grid_scene";

export interface GridPainter extends Disposable {
  readonly kind: "webgl2" | "canvas2d";
  /** Draws into the canvas, which has the scene's size; false if it cannot right now. */
  paint(context: CanvasRenderingContext2D, scene: GridScene): boolean;
}
