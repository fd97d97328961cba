// Runs in the page before its own code, in browser tests and benchmarks. Where WebGL2 runs on the processor the page
// leaves it for Canvas2D, and knows it by the name of the renderer: without that name it takes any WebGL2 there is.
{
  const { prototype } = WebGL2RenderingContext;
  const original = prototype.getParameter;
  prototype.getParameter = function (name) {
    const found = original.call(this, name);
    return typeof found === "string" ? "unnamed" : found;
  };
}
