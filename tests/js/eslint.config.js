/** How the JavaScript is linted: `npm run lint`. */

import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: globals.browser },
    rules: { "no-unused-vars": ["error", { argsIgnorePattern: "^_" }], eqeqeq: "error", "no-var": "error", "prefer-const": "error" },
  },
  { files: ["tests/**"], languageOptions: { globals: globals.node } },
];
