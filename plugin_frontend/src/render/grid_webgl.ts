// The WebGL2 painter. One context serves every grid of the page (browsers allow about 16): it draws
// into a canvas of its own, which is then copied to the grid's. Thumbnails stay on the GPU as u8 texture
// arrays, up to a byte budget; scale, colours and difference are uniforms.
import { ByteLru } from "../base/lru";
import type { OverviewLayer } from "../data/types";
import type { ColourMap } from "./colormap";
import type { GridPainter } from "./grid_painter";
import type { GridScene, ThumbDraw } from "./grid_scene";
import { fragmentShader, vertexShader } from "./grid_shader";

const textureBudget = 128 << 20;
const floatsPerThumb = 8;

interface Gpu {
  readonly gl: WebGL2RenderingContext;
  readonly program: WebGLProgram;
  readonly buffer: WebGLBuffer;
  readonly uniforms: Readonly<Record<UniformName, WebGLUniformLocation | null>>;
  readonly textures: ByteLru<WebGLTexture>;
  readonly colours: Map<ColourMap, WebGLTexture>;
  readonly maxLayers: number;
  readonly maxEdge: number;
}

const uniformNames = [
  "canvas",
  "canvasHeight",
  "texels",
  "thumbsA",
  "thumbsB",
  "colours",
  "difference",
  "companded",
] as const;
type UniformName = (typeof uniformNames)[number];

function compile(gl: WebGL2RenderingContext, type: number, code: string): WebGLShader | null {
  const shader = gl.createShader(type);
  if (shader === null) return null;
  gl.shaderSource(shader, code);
  gl.compileShader(shader);
  return shader;
}

function linkProgram(gl: WebGL2RenderingContext): WebGLProgram | null {
  const vertex = compile(gl, gl.VERTEX_SHADER, vertexShader);
  const fragment = compile(gl, gl.FRAGMENT_SHADER, fragmentShader);
  if (vertex === null || fragment === null) return null;
  const program = gl.createProgram();
  gl.attachShader(program, vertex);
  gl.attachShader(program, fragment);
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) === true ? program : null;
}

function setUp(gl: WebGL2RenderingContext): Gpu | null {
  const program = linkProgram(gl);
  if (program === null) return null;
  gl.useProgram(program);
  const uniforms = Object.fromEntries(
    uniformNames.map((name) => [name, gl.getUniformLocation(program, name)]),
  ) as Record<UniformName, WebGLUniformLocation | null>;
  gl.uniform1i(uniforms.thumbsA, 0);
  gl.uniform1i(uniforms.thumbsB, 1);
  gl.uniform1i(uniforms.colours, 2);
  const buffer = gl.createBuffer();
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  for (const location of [0, 1]) {
    gl.enableVertexAttribArray(location);
    gl.vertexAttribPointer(location, 4, gl.FLOAT, false, floatsPerThumb * 4, location * 16);
    gl.vertexAttribDivisor(location, 1);
  }
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  return {
    gl,
    program,
    buffer,
    uniforms,
    textures: new ByteLru(textureBudget, (texture) => gl.deleteTexture(texture)),
    colours: new Map(),
    maxLayers: gl.getParameter(gl.MAX_ARRAY_TEXTURE_LAYERS) as number,
    maxEdge: Math.min(
      gl.getParameter(gl.MAX_TEXTURE_SIZE) as number,
      gl.getParameter(gl.MAX_RENDERBUFFER_SIZE) as number,
    ),
  };
}

/** `failIfMajorPerformanceCaveat` would ask for this, but Chromium grants such contexts all the same. */
function isSoftware(gl: WebGL2RenderingContext): boolean {
  const names = gl.getExtension("WEBGL_debug_renderer_info");
  const renderer = String(gl.getParameter(names?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER));
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(renderer);
}

/** Names layers for the texture cache without keeping them alive. */
class Names {
  private readonly names = new WeakMap<OverviewLayer, string>();
  private next = 0;

  of(layer: OverviewLayer): string {
    const name = this.names.get(layer) ?? String(this.next++);
    this.names.set(layer, name);
    return name;
  }
}

export class WebglPainter implements GridPainter {
  readonly kind = "webgl2";
  private readonly canvas: HTMLCanvasElement;
  private readonly names = new Names();
  private gpu: Gpu | null;

  private constructor(canvas: HTMLCanvasElement, gpu: Gpu, restored: () => void) {
    this.canvas = canvas;
    this.gpu = gpu;
    canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      this.gpu = null;
    });
    canvas.addEventListener("webglcontextrestored", () => {
      this.gpu = setUp(gpu.gl);
      restored();
    });
  }

  /**
   * null where WebGL2 is missing, and, unless `evenIfSlow`, where it runs on the processor: there the
   * Canvas2D twin is two to four times as fast. `restored` is called when a lost context is back.
   */
  static create(restored: () => void, evenIfSlow = false): WebglPainter | null {
    const canvas = document.createElement("canvas");
    const gl = canvas.getContext("webgl2", { antialias: false, depth: false, stencil: false });
    if (gl === null) return null;
    const gpu = evenIfSlow || !isSoftware(gl) ? setUp(gl) : null;
    if (gpu !== null) return new WebglPainter(canvas, gpu, restored);
    gl.getExtension("WEBGL_lose_context")?.loseContext();
    return null;
  }

  paint(context: CanvasRenderingContext2D, scene: GridScene): boolean {
    const gpu = this.gpu;
    if (gpu === null || gpu.gl.isContextLost() || !fits(gpu, scene)) return false;
    if (scene.thumbs.length === 0) return true;
    this.begin(gpu, scene);
    for (const group of groups(scene.thumbs)) this.drawGroup(gpu, group);
    const { width, height } = scene;
    context.clearRect(0, 0, width, height);
    context.drawImage(this.canvas, 0, this.canvas.height - height, width, height, 0, 0, width, height);
    return true;
  }

  dispose(): void {
    this.gpu?.textures.clear();
    this.gpu?.gl.getExtension("WEBGL_lose_context")?.loseContext();
    this.gpu = null;
  }

  private begin({ gl, uniforms, colours }: Gpu, scene: GridScene): void {
    // The canvas only grows: resizing would throw its memory away for each grid in turn.
    if (this.canvas.width < scene.width) this.canvas.width = scene.width;
    if (this.canvas.height < scene.height) this.canvas.height = scene.height;
    gl.viewport(0, 0, scene.width, scene.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(uniforms.canvas, scene.width, scene.height);
    gl.uniform1i(uniforms.canvasHeight, scene.height);
    gl.uniform1i(uniforms.companded, scene.sqrt ? 1 : 0);
    const known = colours.get(scene.colours) ?? colourTexture(gl, scene.colours);
    colours.set(scene.colours, known);
    gl.activeTexture(gl.TEXTURE2);
    gl.bindTexture(gl.TEXTURE_2D, known);
  }

  /** Thumbnails of one layer, or of one pair of layers. */
  private drawGroup(gpu: Gpu, group: readonly ThumbDraw[]): void {
    const first = group[0];
    if (first === undefined) return;
    const { gl, uniforms } = gpu;
    this.bind(gpu, gl.TEXTURE0, first.a.layer);
    this.bind(gpu, gl.TEXTURE1, (first.b ?? first.a).layer);
    gl.uniform2i(uniforms.texels, first.a.layer.thumbCols, first.a.layer.thumbRows);
    gl.uniform1i(uniforms.difference, first.b === null ? 0 : 1);
    const instances = group.flatMap(({ box, a, b }) => [
      box.x,
      box.y,
      box.width,
      box.height,
      a.place,
      b?.place ?? 0,
      a.factor,
      b?.factor ?? 0,
    ]);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(instances), gl.STREAM_DRAW);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, group.length);
  }

  private bind({ gl, textures }: Gpu, unit: number, layer: OverviewLayer): void {
    gl.activeTexture(unit);
    const name = this.names.of(layer);
    const known = textures.get(name);
    if (known !== undefined) {
      gl.bindTexture(gl.TEXTURE_2D_ARRAY, known);
      return;
    }
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, texture);
    gl.texParameteri(gl.TEXTURE_2D_ARRAY, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D_ARRAY, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    const { thumbCols, thumbRows, heads, thumbs } = layer;
    gl.texImage3D(
      gl.TEXTURE_2D_ARRAY, 0, gl.R8UI, thumbCols, thumbRows, heads.length, 0, gl.RED_INTEGER, gl.UNSIGNED_BYTE, thumbs,
    );
    textures.set(name, texture, thumbs?.length ?? 0);
  }
}

/** Larger than the GPU allows is left to the Canvas2D twin. */
function fits({ maxLayers, maxEdge }: Gpu, { width, height, thumbs }: GridScene): boolean {
  if (width > maxEdge || height > maxEdge) return false;
  return thumbs.every(({ a: { layer } }) => {
    return layer.heads.length <= maxLayers && layer.thumbCols <= maxEdge && layer.thumbRows <= maxEdge;
  });
}

function groups(thumbs: readonly ThumbDraw[]): ThumbDraw[][] {
  const byLayer = new Map<OverviewLayer, ThumbDraw[]>();
  for (const draw of thumbs) {
    // Within one scene a layer of A always meets the same layer of B.
    const group = byLayer.get(draw.a.layer) ?? [];
    group.push(draw);
    byLayer.set(draw.a.layer, group);
  }
  return [...byLayer.values()];
}

function colourTexture(gl: WebGL2RenderingContext, map: ColourMap): WebGLTexture {
  const rgba = new Uint8Array(256 * 4).fill(255);
  for (let i = 0; i < 256; i += 1) rgba.set(map.subarray(3 * i, 3 * i + 3), 4 * i);
  const texture = gl.createTexture();
  gl.activeTexture(gl.TEXTURE2);
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, rgba);
  return texture;
}
