import js from "@eslint/js";
import tseslint from "typescript-eslint";

const htmlSinks = ["innerHTML", "outerHTML", "insertAdjacentHTML", "dangerouslySetInnerHTML"];

export default tseslint.config(
  { ignores: ["node_modules", "src/gen", "dist", "coverage", "test-results", "playwright-report"] },
  js.configs.recommended,
  {
    files: ["**/*.{ts,tsx}"],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-unnecessary-condition": ["error", { allowConstantLoopConditions: "only-allowed-literals" }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "max-lines": ["error", { max: 450, skipBlankLines: true, skipComments: true }],
      "no-restricted-syntax": [
        "error",
        ...htmlSinks.flatMap((name) => [
          {
            selector: `MemberExpression[property.name="${name}"]`,
            message: "Logged text is never parsed as HTML: use textContent.",
          },
          {
            selector: `JSXAttribute[name.name="${name}"]`,
            message: "Logged text is never parsed as HTML: render it as a child.",
          },
        ]),
      ],
      "no-eval": "error",
      "no-restricted-globals": [
        "error",
        { name: "SharedArrayBuffer", message: "TensorBoard sends no headers that allow it: transfer a buffer." },
      ],
      eqeqeq: "error",
    },
  },
  {
    // Indexing typed arrays and fixtures whose length the test itself has set.
    files: ["**/*.test.{ts,tsx}", "e2e/**"],
    rules: { "@typescript-eslint/no-non-null-assertion": "off" },
  },
  {
    // Runs in the page as it stands.
    files: ["e2e/any_webgl.js"],
    languageOptions: { globals: { WebGL2RenderingContext: "readonly" } },
  },
  {
    files: ["tools/**/*.mjs"],
    languageOptions: { globals: { process: "readonly", console: "readonly" } },
  },
);
