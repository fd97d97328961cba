// The same arithmetic as grid_scene.ts, in whole numbers where it is exact.

export const vertexShader = `#version 300 es
layout(location = 0) in vec4 box;      // device pixels: x, y, width, height
layout(location = 1) in vec4 source;   // place of A, place of B, factor of A, factor of B
uniform vec2 canvas;
flat out ivec4 thumb;
flat out ivec2 place;
flat out vec2 factor;
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  vec2 at = (box.xy + corner * box.zw) / canvas;
  gl_Position = vec4(at.x * 2.0 - 1.0, 1.0 - at.y * 2.0, 0.0, 1.0);
  thumb = ivec4(box);
  place = ivec2(source.xy);
  factor = source.zw;
}`;

export const fragmentShader = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2DArray;
uniform usampler2DArray thumbsA;
uniform usampler2DArray thumbsB;
uniform sampler2D colours;
uniform ivec2 texels;                  // columns, rows
uniform int canvasHeight;
uniform bool difference;
uniform bool companded;
const float tie = 1e-6;                // as in grid_scene.ts
flat in ivec4 thumb;
flat in ivec2 place;
flat in vec2 factor;
out vec4 colour;

void main() {
  ivec2 pixel = ivec2(int(gl_FragCoord.x), canvasHeight - 1 - int(gl_FragCoord.y)) - thumb.xy;
  pixel = clamp(pixel, ivec2(0), thumb.zw - 1);
  ivec2 from = pixel * texels / thumb.zw;
  ivec2 to = max(from + 1, ((pixel + 1) * texels + thumb.zw - 1) / thumb.zw);
  float best = 0.0;
  for (int row = from.y; row < to.y; row++) {
    for (int col = from.x; col < to.x; col++) {
      float a = float(texelFetch(thumbsA, ivec3(col, row, place.x), 0).r);
      float value = a * a * factor.x;
      if (difference) {
        float b = float(texelFetch(thumbsB, ivec3(col, row, place.y), 0).r);
        value = b * b * factor.y - value;
      }
      if (abs(value) > abs(best) + tie) best = value;
    }
  }
  float share = min(1.0, abs(best));
  float unit = companded ? sqrt(share) : share;
  if (difference) unit = 0.5 + 0.5 * sign(best) * unit;
  colour = texelFetch(colours, ivec2(int(floor(unit * 255.0 + 0.5)), 0), 0);
}`;
